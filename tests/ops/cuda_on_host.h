// CUDA's names on a CPU: the kernels' source, but for halves.cu, compiles with this before it. The kernels have no
// barriers, so that threads may run one after another.
#include <cmath>
#include <cstring>
#include <utility>

#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(threads)

using std::exp, std::expm1, std::log1p, std::tanh;

struct Index {
    unsigned x;
};
static Index blockIdx, blockDim, threadIdx;

inline float fp16_to_float(unsigned short bits) {
    _Float16 half;
    std::memcpy(&half, &bits, 2);
    return half;
}

inline unsigned short float_to_fp16(float number) {
    _Float16 half = number;
    unsigned short bits;
    std::memcpy(&bits, &half, 2);
    return bits;
}

inline unsigned __float_as_uint(float number) {
    unsigned bits;
    std::memcpy(&bits, &number, 4);
    return bits;
}

inline float __uint_as_float(unsigned bits) {
    float number;
    std::memcpy(&number, &bits, 4);
    return number;
}

// Runs blocks first ... grid - 1, with arguments as cuLaunchKernel takes them. Returns 0, or 1 + the index of an argument
// of another size; without sizes nothing is checked, as the driver does not.
template <class... Parameters, std::size_t... index>
int run_on_host(void (*kernel)(Parameters...), std::index_sequence<index...>, void** arguments, const int* sizes,
                int count, unsigned first, unsigned grid, unsigned block) {
    if (sizes) {
        if (count != sizeof...(Parameters)) return -1;
        int wrong = 0;
        ((sizes[index] == sizeof(Parameters) ? 0 : wrong = 1 + index), ...);
        if (wrong) return wrong;
    }
    blockDim.x = block;
    for (blockIdx.x = first; blockIdx.x < grid; blockIdx.x++)
        for (threadIdx.x = 0; threadIdx.x < block; threadIdx.x++) kernel(*(Parameters*)arguments[index]...);
    return 0;
}

template <class... Parameters>
int run_on_host(void (*kernel)(Parameters...), void** arguments, const int* sizes, int count, unsigned first,
                unsigned grid, unsigned block) {
    return run_on_host(kernel, std::index_sequence_for<Parameters...>(), arguments, sizes, count, first, grid, block);
}
