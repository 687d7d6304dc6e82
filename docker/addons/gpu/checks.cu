// What the checks compile; without a GPU each program says so or gets by without one.
#include <cstdio>
#ifdef WITH_THRUST
#include <thrust/device_vector.h>
#include <thrust/reduce.h>
int sum(const thrust::device_vector<int>& v) { return thrust::reduce(v.begin(), v.end()); }
#endif
#ifdef WITH_LIBRARIES
#include <cublas_v2.h>
#include <cuda.h>
#include <cufft.h>
#include <curand.h>
#include <nvml.h>
int use() { cublasHandle_t b; curandGenerator_t r; cufftHandle f;
  return cublasCreate(&b) + curandCreateGenerator(&r, CURAND_RNG_PSEUDO_DEFAULT) + cufftPlan1d(&f, 8, CUFFT_C2C, 1) + cuInit(0) + nvmlInit(); }
#endif
#ifdef WITH_NVRTC
#include <nvrtc.h>
int main() {
  nvrtcProgram program;
  size_t size = 0;
  nvrtcCreateProgram(&program, "__global__ void f(int* x) { *x = 1; }", "f.cu", 0, nullptr, nullptr);
  if (nvrtcCompileProgram(program, 0, nullptr) != NVRTC_SUCCESS || nvrtcGetPTXSize(program, &size) != NVRTC_SUCCESS) return 1;
  std::printf("compiled: %zu\n", size);
}
#else
__global__ void answer(int* x) { *x = 42; }
int main() {
  int* x;
  cudaError_t error = cudaMallocManaged(&x, sizeof *x);
  if (error != cudaSuccess) return std::printf("no GPU: %s\n", cudaGetErrorString(error)) < 0;
  answer<<<1, 1>>>(x);
  if ((error = cudaDeviceSynchronize()) != cudaSuccess) return 1;
  return std::printf("%d\n", *x) < 0;
}
#endif
