// A CUDA driver without a GPU: what cuda-core asks of libcuda.so.1 when it loads and launches kernels. It keeps contexts,
// libraries and streams as numbers, and hands every launch to a function that a test has set. What it does not know
// fails with CUDA_ERROR_NOT_SUPPORTED and is named on stderr.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <string>
#include <utility>

constexpr int SUCCESS = 0, INVALID_IMAGE = 200, INVALID_CONTEXT = 201, NOT_SUPPORTED = 801, CAPTURE_INVALIDATED = 901;

struct Library {
    const void* code;
};

struct Kernel {
    Library* library;
    std::string name;
};

struct LaunchConfig {  // CUlaunchConfig
    unsigned grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes;
    void* stream;
    void* attributes;
    unsigned attribute_count;
};

using Launch = int (*)(const void* code, const char* name, unsigned grid, unsigned block, void* stream, void** arguments);

static Launch on_launch = nullptr;
static bool capturing = false, captured_a_load = false;
static thread_local void* context = nullptr;  // as with a real driver, each thread has its own
static int primary_context;

// an ELF file with a table of sections, at its end, that is not empty
static bool is_whole(const char* code) {
    if (std::memcmp(code, "\x7f" "ELF", 4)) return false;
    std::uint64_t table;
    std::uint16_t entry_bytes;
    std::memcpy(&table, code + 0x28, sizeof table);
    std::memcpy(&entry_bytes, code + 0x3a, sizeof entry_bytes);
    std::uint32_t kind;
    std::memcpy(&kind, code + table + entry_bytes + 4, sizeof kind);  // of the second section: the first is always empty
    return kind != 0;
}

extern "C" {

// for tests: what runs a launch, and whether all streams capture; a library that is loaded meanwhile spoils the capture
void stub_set_launch(Launch launch) { on_launch = launch; }
void stub_set_capturing(int now) { capturing = now, captured_a_load = false; }
int stub_capture_is_spoilt() { return captured_a_load; }

int driver_cuInit(unsigned) { return SUCCESS; }
int driver_cuDriverGetVersion(int* version) { return *version = 13000, SUCCESS; }
int driver_cuDeviceGetCount(int* count) { return *count = 1, SUCCESS; }
int driver_cuDeviceGet(int* device, int ordinal) { return *device = ordinal, SUCCESS; }
int driver_cuDeviceGetAttribute(int* value, int attribute, int) {
    return *value = attribute == 75 ? 9 : attribute == 76 ? 0 : 1, SUCCESS;  // compute capability 9.0
}
int driver_cuDevicePrimaryCtxRetain(void** ctx, int) { return *ctx = &primary_context, SUCCESS; }
int driver_cuDevicePrimaryCtxRelease(int) { return SUCCESS; }
int driver_cuCtxGetCurrent(void** ctx) { return *ctx = context, SUCCESS; }
int driver_cuCtxSetCurrent(void* ctx) { return context = ctx, SUCCESS; }
int driver_cuCtxGetDevice(int* device) { return *device = 0, context ? SUCCESS : INVALID_CONTEXT; }
int driver_cuStreamGetCtx(void*, void** ctx) { return *ctx = &primary_context, SUCCESS; }

int driver_cuLibraryLoadData(Library** library, const void* code, void*, void*, unsigned, void*, void*, unsigned) {
    if (capturing) return captured_a_load = true, CAPTURE_INVALIDATED;
    if (!is_whole((const char*)code)) return INVALID_IMAGE;
    return *library = new Library{code}, SUCCESS;
}
int driver_cuLibraryUnload(Library* library) { return delete library, SUCCESS; }
int driver_cuLibraryGetKernel(Kernel** kernel, Library* library, const char* name) {
    return *kernel = new Kernel{library, name}, SUCCESS;
}
int driver_cuKernelGetLibrary(Library** library, Kernel* kernel) { return *library = kernel->library, SUCCESS; }
int driver_cuLaunchKernelEx(const LaunchConfig* config, Kernel* kernel, void** arguments, void**) {
    if (!context) return INVALID_CONTEXT;
    return on_launch(kernel->library->code, kernel->name.c_str(), config->grid_x, config->block_x, config->stream, arguments);
}
int driver_cuLaunchKernel(Kernel* kernel, unsigned grid, unsigned, unsigned, unsigned block, unsigned, unsigned, unsigned,
                          void* stream, void** arguments, void**) {
    if (!context) return INVALID_CONTEXT;
    return on_launch(kernel->library->code, kernel->name.c_str(), grid, block, stream, arguments);
}
int driver_cuGetErrorName(int error, const char** name) {
    return *name = error == CAPTURE_INVALIDATED ? "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"
                   : error == INVALID_IMAGE     ? "CUDA_ERROR_INVALID_IMAGE"
                                                : "CUDA_ERROR_OF_THE_STUB",
           SUCCESS;
}
int driver_cuGetErrorString(int error, const char** text) { return driver_cuGetErrorName(error, text); }

}  // extern "C"

// a function for each of the names that are asked for and not known, so that a call can be named
constexpr std::size_t MOST_NAMES = 1024;
static char unknown[MOST_NAMES][64];
static std::size_t unknown_count = 0;

template <std::size_t index>
int not_supported() {
    std::fprintf(stderr, "driver_stub.cpp: %s is not there\n", unknown[index]);
    return NOT_SUPPORTED;
}

template <std::size_t... index>
static void* stand_in(std::size_t wanted, std::index_sequence<index...>) {
    static int (*const functions[])() = {not_supported<index>...};
    return (void*)functions[wanted];
}

extern "C" int cuGetProcAddress_v2(const char* symbol, void** function, int, unsigned long long, int* status) {
    static void* self = dlopen("libcuda.so.1", RTLD_NOLOAD | RTLD_LAZY);
    *function = dlsym(self, (std::string("driver_") + symbol).c_str());
    if (!*function) {
        std::size_t index = unknown_count++ % MOST_NAMES;
        std::snprintf(unknown[index], sizeof unknown[index], "%s", symbol);
        *function = stand_in(index, std::make_index_sequence<MOST_NAMES>());
    }
    if (status) *status = 0;
    return SUCCESS;
}
