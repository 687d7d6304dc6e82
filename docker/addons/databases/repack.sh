#!/usr/bin/env bash
# Makes PostgreSQL's Debian packages fit a sandbox: without the just-in-time compiler, whose library
# alone is larger than all the rest, and without Debian's management of clusters, which would make a
# cluster and a private key in the image. PostgreSQL runs as it is when the compiler is not there.
#
# Usage: repack.sh FOLDER    each PACKAGE.deb in it is replaced
set -Eeuo pipefail

UNWANTED='libllvm[0-9]+|locales|ssl-cert|postgresql-common|postgresql-client-common|sensible-utils|debconf'

# The dependencies without the unwanted, on stdin and stdout.
wanted_only() { sed -E "s/, /\n/g" | grep --invert-match --extended-regexp "^(${UNWANTED})( |\$)" | paste --serial --delimiters=, | sed 's/,/, /g'; }

repack() {
  local deb=$1 tree depends
  tree="$(mktemp --directory)"
  dpkg-deb --raw-extract "${deb}" "${tree}"
  rm -rf "${tree}"/usr/lib/postgresql/*/lib/{bitcode,llvmjit*} "${tree}"/usr/share/postgresql/*/man \
    "${tree}"/usr/share/{doc/*/examples,lintian,locale}
  # Maintainer scripts call Debian's management of clusters.
  rm -f "${tree}"/DEBIAN/{preinst,postinst,prerm,postrm,config,templates}
  depends="$(dpkg-deb --field "${deb}" Depends | wanted_only)"
  sed -i -E "s/^Depends: .*/Depends: ${depends}/; /^(Recommends|Suggests):/d; s/^Version: .*/&+agentpod1/" "${tree}/DEBIAN/control"
  (cd "${tree}" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | LC_ALL=C sort --zero-terminated | xargs --null md5sum) > "${tree}/md5sums"
  mv "${tree}/md5sums" "${tree}/DEBIAN/md5sums"
  rm "${deb}"
  dpkg-deb --root-owner-group -Znone --build "${tree}" "${deb}"
  rm -rf "${tree}"
}

for deb in "$1"/*.deb; do repack "${deb}"; done
