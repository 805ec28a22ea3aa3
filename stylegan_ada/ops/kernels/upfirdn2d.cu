// Zero insertion, padding, FIR filter, decimation: out[oy, ox] = gain * sum over ky, kx of
// upsampled[oy * DOWN_Y + ky - PAD_Y, ox * DOWN_X + kx - PAD_X] * tap[ky, kx], where upsampled[i * UP] = x[i], else 0.
//
// A thread computes PATCH_Y x PATCH_X pixels of the output, for VEC channels (CHANNELS_LAST 1) or for one (0). As all
// factors are known when this is compiled, the loops unroll to the products that are not zero by construction, and
// every pixel of x is read once for the whole patch. PATCH * DOWN must be a multiple of UP, so that all patches see the
// same phases. Channels first, VEC and OUT_VEC are the pixels that are read and written at once: they divide the rows'
// lengths and STEP_X or PATCH_X. INDEX: an unsigned integer that counts all elements. FLIP: 1 for correlation.

__device__ constexpr int floor_div(int a, int b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }
constexpr int PHASE_X = -PAD_X - UP_X * floor_div(-PAD_X, UP_X), FIRST_X = floor_div(-PAD_X, UP_X);
constexpr int PHASE_Y = -PAD_Y - UP_Y * floor_div(-PAD_Y, UP_Y), FIRST_Y = floor_div(-PAD_Y, UP_Y);
constexpr int STEP_X = PATCH_X * DOWN_X / UP_X, STEP_Y = PATCH_Y * DOWN_Y / UP_Y;  // pixels of x from patch to patch
constexpr int ROWS = ((PATCH_Y - 1) * DOWN_Y + TAPS_Y - 1 + PHASE_Y) / UP_Y + 1;
constexpr int COLUMNS = ((PATCH_X - 1) * DOWN_X + TAPS_X - 1 + PHASE_X) / UP_X + 1;

#if CHANNELS_LAST

constexpr int WIDTH = VEC;  // elements that lie side by side

// the pixels of a row of x that the patch needs, 0 outside
__device__ __forceinline__ void read_row(A (&row)[COLUMNS][WIDTH], const T* x, int left, int width, int channels) {
#pragma unroll
    for (int column = 0; column < COLUMNS; column++) {
        bool inside = 0 <= left + column && left + column < width;
        Pack pack = {};
        if (inside) pack = *(const Pack*)(x + (long long)(left + column) * channels);
#pragma unroll
        for (int i = 0; i < WIDTH; i++) row[column][i] = widen(pack.at[i]);
    }
}

__device__ __forceinline__ void write_row(T* out, A (&sum)[PATCH_X][WIDTH], int left, int width, int channels) {
#pragma unroll
    for (int ox = 0; ox < PATCH_X; ox++) {
        if (left + ox >= width) break;
        Pack pack;
#pragma unroll
        for (int j = 0; j < VEC; j++) pack.at[j] = narrow(sum[ox][j]);
        *(Pack*)(out + (long long)(left + ox) * channels) = pack;
    }
}

#else

constexpr int WIDTH = 1;
constexpr int SKIPPED = FIRST_X - VEC * floor_div(FIRST_X, VEC);  // pixels between the pack's first and the first needed
constexpr int PACKS = (SKIPPED + COLUMNS + VEC - 1) / VEC;

__device__ __forceinline__ void read_row(A (&row)[COLUMNS][WIDTH], const T* x, int left, int width, int) {
#pragma unroll
    for (int index = 0; index < PACKS; index++) {
        int start = left - SKIPPED + index * VEC;
        Pack pack = {};
        if (0 <= start && start < width) pack = *(const Pack*)(x + start);  // VEC divides start and width
#pragma unroll
        for (int i = 0; i < VEC; i++) {
            int column = index * VEC + i - SKIPPED;
            if (0 <= column && column < COLUMNS) row[column][0] = widen(pack.at[i]);
        }
    }
}

struct alignas(sizeof(T) * OUT_VEC) OutPack {
    T at[OUT_VEC];
};

__device__ __forceinline__ void write_row(T* out, A (&sum)[PATCH_X][WIDTH], int left, int width, int) {
#pragma unroll
    for (int ox = 0; ox < PATCH_X; ox += OUT_VEC) {
        if (left + ox >= width) break;
        OutPack pack;
#pragma unroll
        for (int j = 0; j < OUT_VEC; j++) pack.at[j] = narrow(sum[ox + j][0]);
        *(OutPack*)(out + left + ox) = pack;
    }
}

#endif

// x [images, height, width, channels] with CHANNELS_LAST, else [images * channels, height, width]
extern "C" __global__ void __launch_bounds__(BLOCK) upfirdn2d(
    T* __restrict__ out, const T* __restrict__ x, const A* __restrict__ f, A gain, INDEX patches, int channels, int height, int width,
    int out_height, int out_width) {
    INDEX patch = (INDEX)blockIdx.x * blockDim.x + threadIdx.x;
    if (patch >= patches) return;
#if CHANNELS_LAST
    int packs = channels / VEC;
    int channel = patch % packs * VEC;
    patch /= packs;
#endif
    int across = (out_width + PATCH_X - 1) / PATCH_X, down = (out_height + PATCH_Y - 1) / PATCH_Y;
    int patch_x = patch % across;
    patch /= across;
    int patch_y = patch % down;
    long long image = patch / down;
#if CHANNELS_LAST
    x += image * height * width * channels + channel;
    out += image * out_height * out_width * channels + channel;
#else
    channels = 1;
    x += image * height * width;
    out += image * out_height * out_width;
#endif

    A tap[TAPS_Y][TAPS_X];
#pragma unroll
    for (int ky = 0; ky < TAPS_Y; ky++)
#pragma unroll
        for (int kx = 0; kx < TAPS_X; kx++)
            tap[ky][kx] = gain * f[FLIP ? ky * TAPS_X + kx : (TAPS_Y - 1 - ky) * TAPS_X + TAPS_X - 1 - kx];

    A sum[PATCH_Y][PATCH_X][WIDTH] = {};
    int left = patch_x * STEP_X + FIRST_X, top = patch_y * STEP_Y + FIRST_Y;
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        if (0 <= top + i && top + i < height) {
            A row[COLUMNS][WIDTH];
            read_row(row, x + (long long)(top + i) * width * channels, left, width, channels);
#pragma unroll
            for (int oy = 0; oy < PATCH_Y; oy++) {
                int ky = i * UP_Y - PHASE_Y - oy * DOWN_Y;
                if (ky < 0 || ky >= TAPS_Y) continue;
#pragma unroll
                for (int ox = 0; ox < PATCH_X; ox++)
#pragma unroll
                    for (int column = 0; column < COLUMNS; column++) {
                        int kx = column * UP_X - PHASE_X - ox * DOWN_X;
                        if (kx < 0 || kx >= TAPS_X) continue;
#pragma unroll
                        for (int j = 0; j < WIDTH; j++) sum[oy][ox][j] += row[column][j] * tap[ky][kx];
                    }
            }
        }
        // a row of the output is written as soon as it has its last product, so that its sums need no registers longer
#pragma unroll
        for (int oy = 0; oy < PATCH_Y; oy++) {
            int y = patch_y * PATCH_Y + oy;
            if (i == (TAPS_Y - 1 + PHASE_Y + oy * DOWN_Y) / UP_Y && y < out_height)
                write_row(out + (long long)y * out_width * channels, sum[oy], patch_x * PATCH_X, out_width, channels);
        }
    }
}
