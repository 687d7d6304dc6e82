#!/usr/bin/env bash
# Arranges CUDA's Debian packages as NVIDIA's own installer does, below /usr/local/cuda, where build systems look.
# The shared libraries stay in Debian's folder, where the loader looks.
#
# Usage: arrange.sh FOLDER_OF_DEBS OUT
set -Eeuo pipefail

debs=$1
out=$2
unpacked="$(mktemp --directory)"
cuda="${out}/usr/local/cuda"
multiarch="$(uname -m)-linux-gnu"

# command_at FILE LINE
command_at() { printf '#!/bin/sh\n%s\n' "$2" | install --mode=755 /dev/stdin "$1"; }

# Static libraries are for programs that are given away; two small ones are in every program nvcc links.
for deb in "${debs}"/*.deb; do
  dpkg-deb --fsys-tarfile "${deb}" | tar --extract --directory "${unpacked}" --no-same-owner --wildcards \
    --exclude='*/libcu[!d]*_static*.a' --exclude='*/libnv*_static.a' --exclude='*/libnpp*_static.a' \
    --exclude='./usr/share/man/*' --exclude='./usr/share/lintian/*' --exclude='./usr/share/bug/*'
done
find "${unpacked}/usr/share/doc" -type f ! -name copyright -delete

mkdir -p "${cuda}/bin" "${out}/usr/lib" "${out}/usr/local/bin" "${out}/usr/share/doc"
tools="${unpacked}/usr/lib/nvidia-cuda-toolkit"
rm "${unpacked}/usr/bin/nvcc" "${tools}/bin/nvcc.profile" "${unpacked}/usr/bin/compute-sanitizer"
mv "${unpacked}"/usr/bin/* "${cuda}/bin/"
# nvcc itself, and the programs named gcc and g++ by which it finds a compiler that fits; nobody else may find those.
mv "${tools}/bin" "${cuda}/libexec"
cp /nvcc.profile "${cuda}/libexec/nvcc.profile"
# shellcheck disable=SC2016 # expanded by the command
command_at "${cuda}/bin/nvcc" 'PATH="/usr/local/cuda/libexec:${PATH}" exec /usr/local/cuda/libexec/nvcc "$@"'
mkdir "${cuda}/nvvm"
mv "${tools}/libdevice" "${cuda}/nvvm/"
mv "${tools}/compute-sanitizer" "${cuda}/"
mv "${unpacked}/usr/include" "${cuda}/include"
# The C library has declared these four since 2.41, and says that they throw nothing.
sed -i -E 's/^(extern .*[ *](sin|cos)pif?\((double|float) x\));/\1 noexcept (true);/' "${cuda}/include/crt/math_functions.h"
[[ $(grep --count --extended-regexp '(sin|cos)pif?\(.* noexcept \(true\);' "${cuda}/include/crt/math_functions.h") == 4 ]]
mv "${unpacked}/usr/lib/${multiarch}" "${out}/usr/lib/"
ln -s "/usr/lib/${multiarch}" "${cuda}/lib64"
find "${unpacked}/usr/share/doc" -mindepth 1 -maxdepth 1 -type d ! -empty -exec mv --target-directory="${out}/usr/share/doc" {} +

# Names of libraries that were not chosen: without them a link fails instead of the program.
libraries="${out}/usr/lib/${multiarch}"
find "${libraries}" -xtype l -delete
for stub in "${libraries}"/stubs/*.so; do
  case ${stub##*/} in libcuda.so | libnvidia-ml.so) continue ;; esac # they come with the driver
  [[ -e ${libraries}/${stub##*/} ]] || rm "${stub}"
done
for tool in "${cuda}"/bin/* "${cuda}/compute-sanitizer/compute-sanitizer"; do
  command_at "${out}/usr/local/bin/${tool##*/}" "exec ${tool#"${out}"} \"\$@\""
done
rm -rf "${unpacked}"
