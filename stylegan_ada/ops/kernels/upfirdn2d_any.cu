// upfirdn2d of any factors and any filter, an element of the output per thread; for what kernels/upfirdn2d.cu, which
// unrolls its filter, would be too long for. x [images, channels, height, width] in either layout.

extern "C" __global__ void __launch_bounds__(BLOCK) upfirdn2d_any(
    T* out, const T* x, const A* f, A gain, INDEX elements, int channels, int height, int width, int out_height,
    int out_width, int up_x, int up_y, int down_x, int down_y, int pad_x, int pad_y, int taps_x, int taps_y) {
    INDEX index = (INDEX)blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= elements) return;
    out += index;
    int step = 1;  // from a pixel of x to the next
#if CHANNELS_LAST
    step = channels;
    int channel = index % channels;
    index /= channels;
    x += channel;
#endif
    int ox = index % out_width;
    index /= out_width;
    int oy = index % out_height;
    x += (long long)(index / out_height) * height * width * step;

    long long left = (long long)ox * down_x - pad_x, top = (long long)oy * down_y - pad_y;  // of the upsampled image
    A sum = 0;
    for (int ky = 0; ky < taps_y; ky++) {
        if ((top + ky) % up_y || top + ky < 0 || (top + ky) / up_y >= height) continue;
        const T* row = x + (top + ky) / up_y * width * step;
        for (int kx = 0; kx < taps_x; kx++) {
            if ((left + kx) % up_x || left + kx < 0 || (left + kx) / up_x >= width) continue;
            A tap = f[FLIP ? ky * taps_x + kx : (taps_y - 1 - ky) * taps_x + taps_x - 1 - kx];
            sum += tap * widen(row[(left + kx) / up_x * step]);
        }
    }
    *out = narrow(sum * gain);
}
