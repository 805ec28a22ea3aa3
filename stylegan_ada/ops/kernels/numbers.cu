// The number in memory (T), the number to compute with (A), and packs of VEC of them that are read and written at once.
// Chosen by one of FP16, BF16, FP32, FP64.

__device__ __forceinline__ float bf16_to_float(unsigned short bits) { return __uint_as_float((unsigned)bits << 16); }

#if __CUDA_ARCH__ < 800  // without an instruction for it
__device__ __forceinline__ unsigned short float_to_bf16(float number) {
    unsigned bits = __float_as_uint(number);
    if (number != number) return 0x7fff;              // rounding might turn a NaN into an infinity
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;  // to nearest, ties to even
}
#endif

#if defined(FP16)
typedef unsigned short T;
typedef float A;
__device__ __forceinline__ A widen(T bits) { return fp16_to_float(bits); }
__device__ __forceinline__ T narrow(A number) { return float_to_fp16(number); }
#elif defined(BF16)
typedef unsigned short T;
typedef float A;
__device__ __forceinline__ A widen(T bits) { return bf16_to_float(bits); }
__device__ __forceinline__ T narrow(A number) { return float_to_bf16(number); }
#else
#if defined(FP64)
typedef double T;
#else
typedef float T;
#endif
typedef T A;
__device__ __forceinline__ A widen(T number) { return number; }
__device__ __forceinline__ T narrow(A number) { return number; }
#endif

struct alignas(sizeof(T) * VEC) Pack {
    T at[VEC];
};
