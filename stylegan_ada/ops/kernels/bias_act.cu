// out = clamp(act(x + b) * gain), or a factor of its derivatives, element by element of a dense tensor.
//
// ACT: the activation. ORDER: 0, 1 or 2, the derivative. VEC: elements of a thread, of 16 bytes at most.
// CLAMPED: 0 or 1. PIECEWISE: 1 if the result's sign tells the derivative. INDEX: an unsigned integer that counts all elements.
// BIAS: 0 none, 1 one for all of a pack, 2 consecutive ones, one for each element of a pack.
//   0: out = f(x)
//   1: out = g * f'            saved is the result f(x) if PIECEWISE, else x
//   2: out = h * g * f''       saved is x

#define SIGMOID(x) (1 / (1 + exp(-(x))))

struct linear {
    static __device__ A value(A x, A alpha) { return x; }
    static __device__ A first(A x, A alpha) { return 1; }
    static __device__ A second(A x) { return 0; }
};

struct relu {
    static __device__ A value(A x, A alpha) { return x > 0 ? x : x != x ? x : 0; }
    static __device__ A first(A x, A alpha) { return x > 0 ? 1 : 0; }
    static __device__ A second(A x) { return 0; }
};

struct lrelu {
    static __device__ A value(A x, A alpha) { return x > 0 ? x : x * alpha; }
    static __device__ A first(A x, A alpha) { return x > 0 ? 1 : alpha; }
    static __device__ A second(A x) { return 0; }
};

struct tanh_ {
    static __device__ A value(A x, A alpha) { return tanh(x); }
    static __device__ A first(A x, A alpha) { A y = tanh(x); return 1 - y * y; }
    static __device__ A second(A x) { A y = tanh(x); return -2 * y * (1 - y * y); }
};

struct sigmoid {
    static __device__ A value(A x, A alpha) { return SIGMOID(x); }
    static __device__ A first(A x, A alpha) { A y = SIGMOID(x); return y * (1 - y); }
    static __device__ A second(A x) { A y = SIGMOID(x); return y * (1 - y) * (1 - 2 * y); }
};

struct elu {
    static __device__ A value(A x, A alpha) { return x > 0 ? x : expm1(x); }
    static __device__ A first(A x, A alpha) { return x > 0 ? 1 : exp(x); }
    static __device__ A second(A x) { return x > 0 ? 0 : exp(x); }
};

struct selu {  // Klambauer et al. 2017, arXiv 1706.02515
    static constexpr double scale = 1.0507009873554804934193349852946, shape = 1.6732632423543772848170429916717;
    static __device__ A value(A x, A alpha) { return A(scale) * (x > 0 ? x : A(shape) * expm1(x)); }
    static __device__ A first(A x, A alpha) { return A(scale) * (x > 0 ? 1 : A(shape) * exp(x)); }
    static __device__ A second(A x) { return x > 0 ? 0 : A(scale * shape) * exp(x); }
};

struct softplus {
    static __device__ A value(A x, A alpha) { return (x > 0 ? x : x != x ? x : 0) + log1p(exp(x > 0 ? -x : x)); }
    static __device__ A first(A x, A alpha) { return SIGMOID(x); }
    static __device__ A second(A x) { return sigmoid::first(x, 0); }
};

struct swish {
    static __device__ A value(A x, A alpha) { return x * SIGMOID(x); }
    static __device__ A first(A x, A alpha) { A y = SIGMOID(x); return y * (1 + x * (1 - y)); }
    static __device__ A second(A x) { A y = SIGMOID(x); return y * (1 - y) * (2 + x * (1 - 2 * y)); }
};

extern "C" __global__ void __launch_bounds__(BLOCK) bias_act(
    T* __restrict__ out, const T* __restrict__ saved, const T* __restrict__ b, const T* __restrict__ g,
    const T* __restrict__ h, A alpha, A gain, A clamp, INDEX packs, INDEX inner, INDEX channels) {
    INDEX pack = (INDEX)blockIdx.x * blockDim.x + threadIdx.x;
    if (pack >= packs) return;
    Pack x = ((const Pack*)saved)[pack], y;
#if BIAS
    Pack bias;
    INDEX channel = pack * VEC / inner % channels;
#if BIAS == 1
    for (int i = 0; i < VEC; i++) bias.at[i] = b[channel];
#else
    bias = *(const Pack*)(b + channel);
#endif
#endif
#if ORDER > 0
    Pack first = ((const Pack*)g)[pack];
#endif
#if ORDER > 1
    Pack second = ((const Pack*)h)[pack];
#endif
#pragma unroll
    for (int i = 0; i < VEC; i++) {
        A u = widen(x.at[i]);
#if ORDER > 0 && PIECEWISE
        bool inside = !CLAMPED || (-clamp < u && u < clamp);
        u = gain < 0 ? -u : u;
#else
#if BIAS
        u += widen(bias.at[i]);
#endif
        A v = ACT::value(u, alpha) * gain;
        bool inside = !CLAMPED || (-clamp <= v && v <= clamp);
#endif
#if ORDER == 0
        A result = inside || v != v ? v : v < 0 ? -clamp : clamp;
#elif ORDER == 1
        A result = inside ? widen(first.at[i]) * gain * ACT::first(u, alpha) : 0;
#else
        A result = inside ? widen(second.at[i]) * widen(first.at[i]) * gain * ACT::second(u) : 0;
#endif
        y.at[i] = narrow(result);
    }
    ((Pack*)out)[pack] = y;
}
