// Half precision by the GPU's own instructions. NVRTC has no headers, so no __half: numbers lie in memory as 16 bits.
// (A build for the CPU, in tests, has a file of its own in place of this one.)

__device__ __forceinline__ float fp16_to_float(unsigned short bits) {
    float number;
    asm("cvt.f32.f16 %0, %1;" : "=f"(number) : "h"(bits));
    return number;
}

__device__ __forceinline__ unsigned short float_to_fp16(float number) {
    unsigned short bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(number));
    return bits;
}

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ unsigned short float_to_bf16(float number) {
    unsigned short bits;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(number));
    return bits;
}
#endif
