# shellcheck shell=bash
# Sourced by test-container.sh; see scripts/lib/image-parts.sh. Where there is no GPU, that is what the programs must say.

# shellcheck disable=SC2016,SC2154 # expanded inside the container; container is test-container.sh's
checks_gpu() {
  versions << 'END'
    nvcc        | nvcc --version       | release 12\.4
    ptxas       | ptxas --version      | release 12\.4
    g++-13      | g++-13 --version     | ^g\+\+-13
END
  check "the log tells whether a GPU is visible" log_has ' GPU is visible'
  check "the compilers that nvcc is led to are hidden from others" tool_answers '! command -v gcc g++ | grep cuda >&2'
  check "a program to compile" docker cp --quiet "${DOCKER_ROOT}/addons/gpu/checks.cu" "${container}:/tmp/checks.cu"
  check "nvcc compiles and links, and the program starts" output_matches 'cd /tmp && nvcc -o plain checks.cu && ./plain' '^(42|no GPU: )'
  check "C++17, Thrust and code for several GPUs compile" output_matches \
    'cd /tmp && nvcc -std=c++17 -gencode arch=compute_70,code=sm_70 -gencode arch=compute_90,code=sm_90 -DWITH_THRUST -o thrust checks.cu && cuobjdump --list-elf thrust' 'sm_90'
  check "relocatable device code links" tool_answers 'cd /tmp && nvcc -rdc=true -o relocatable checks.cu && ./relocatable'
  check "the libraries link and load" tool_answers 'cd /tmp && nvcc -DWITH_LIBRARIES -o libraries checks.cu -lcublas -lcufft -lcurand -lnvrtc -lcuda -lnvidia-ml -Xlinker -z,lazy && ldd libraries | grep cublas'
  check "every library finds what it needs" tool_answers '! ldd /usr/lib/*-linux-gnu/lib{cu,nv}*.so.* 2> /dev/null | grep "not found" | grep -v -e libcuda.so -e libnvidia-ml.so >&2'
  check "code is compiled at run time without a GPU" output_matches 'cd /tmp && nvcc -DWITH_NVRTC -o nvrtc checks.cu -lnvrtc && ./nvrtc' '^compiled: [1-9]'
  check "no static libraries but the two of every program" output_matches 'cd /usr/lib/*-linux-gnu && ls libcu*.a libnv*.a libnpp*.a 2> /dev/null | paste -sd " "' '^libcudadevrt\.a libcudart_static\.a libcuf?ilt\.a libculibos\.a$'
  check "the CUDA home is where build systems look" tool_answers '[ -x "$CUDA_HOME/bin/nvcc" ] && [ -e "$CUDA_HOME/include/cuda_runtime.h" ] && [ -e "$CUDA_HOME/lib64/libcudart.so" ]'
}
