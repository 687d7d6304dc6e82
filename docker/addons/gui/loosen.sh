#!/usr/bin/env bash
# Packs the Debian packages in a folder again without what they depend on but the desktop never loads.
#
# Usage: loosen.sh FOLDER
#
#   libgbm1, libglx-mesa0: Mesa's OpenGL drivers with LLVM (195 MB). The X server runs without them; programs
#       that draw with OpenGL need them, and `apt-get install libgl1-mesa-dri` brings them.
#   libimlib2t64: plug-ins for PostScript, HEIF and JPEG XL with Ghostscript and fonts (65 MB). It draws icons.
#   x11-xserver-utils: the C preprocessor (35 MB). It is for xrdb, which is run without.
# The versions stay Debian's, for other packages of Mesa ask for exactly those.
set -Eeuo pipefail

without() {
  case $1 in
    libgbm1) echo 'mesa-libgallium' ;;
    libglx-mesa0) echo 'mesa-libgallium libgl1-mesa-dri' ;;
    libimlib2t64) echo 'libspectre1 libheif1 libjxl0.11' ;;
    x11-xserver-utils) echo 'cpp' ;;
    *) printf 'loosen: %s is not in the list\n' "$1" >&2; return 1 ;;
  esac
}

# loosen FILE; a package that no longer depends on one of them ends the build, to be looked at again
loosen() {
  local file=$1 package names name control="${work}/package/DEBIAN/control"
  package="$(dpkg-deb --field "${file}" Package)"
  names="$(without "${package}")"
  dpkg-deb --raw-extract "${file}" "${work}/package"
  for name in ${names}; do
    grep --quiet --extended-regexp "^Depends:.*[ ,]${name//./\\.}([ ,]|\$)" "${control}" ||
      { printf 'loosen: %s does not depend on %s\n' "${package}" "${name}" >&2; exit 1; }
    sed --in-place --regexp-extended "/^Depends:/ { s/([ ,])${name//./\\.}( \([^)]*\))?(, |\$)/\1/; s/, *\$// }" "${control}"
  done
  dpkg-deb --root-owner-group -Znone --build "${work}/package" "${file}" > /dev/null
  rm -rf "${work}/package"
}

work="$(mktemp --directory)"
for file in "$1"/*.deb; do loosen "${file}"; done
rm -rf "${work}"
