#!/usr/bin/env bash
# Brings the Debian image that the base image starts from: pulls it, and makes it on machines that cannot.
#
# Usage: debian-image.sh [--force] [--help]
#
#   --force   make it with debootstrap although the engine has it or could pull it
#
# An image that is there is left as it is; a pull that takes over 60 s is given up.
# When it is made, the packages come from the mirror in this machine's own apt configuration, or from
# DEBIAN_MIRROR. That needs root and debootstrap. Prints the image's name.
set -Eeuo pipefail
# shellcheck source=config.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/config.sh"

PULL_SECONDS_MAX=60
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# The first URI of the first source that looks like Debian's main archive.
machine_mirror() {
  local files=()
  for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    [[ -f ${file} ]] && files+=("${file}")
  done
  ((${#files[@]})) || return 0
  awk '
    /^URIs:/ { if ($2 ~ /debian\/?$/) { print $2; exit } }
    /^deb / { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { if ($i ~ /debian\/?$/) { print $i; exit } break } }
  ' "${files[@]}"
}

# Debian's own slim images leave these out too; they hold no program anybody runs.
slim() {
  local root=$1
  cat > "${root}/etc/dpkg/dpkg.cfg.d/docker" << 'EOF'
force-unsafe-io
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/groff/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/linda/*
path-exclude /usr/share/locale/*
path-include /usr/share/locale/locale.alias
EOF
  find "${root}/usr/share/doc" -depth -type f ! -name copyright -delete
  find "${root}/usr/share/doc" -depth -type d -empty -delete
  rm -rf "${root}"/usr/share/{man,info,groff,lintian,linda}/*
  find "${root}/usr/share/locale" -mindepth 1 -maxdepth 1 -type d -exec rm -rf {} +
  rm -rf "${root}"/var/lib/apt/lists/* "${root}"/var/cache/apt/archives/*.deb "${root}"/var/cache/apt/*.bin
  rm -f "${root}"/var/log/{bootstrap,dpkg,alternatives}.log "${root}"/var/log/apt/* "${root}/var/cache/ldconfig/aux-cache"
  : > "${root}/etc/machine-id"
}

write_sources() {
  local root=$1 mirror=$2
  rm -f "${root}/etc/apt/sources.list"
  cat > "${root}/etc/apt/sources.list.d/debian.sources" << EOF
Types: deb
URIs: ${mirror}
Suites: ${DEBIAN_SUITE} ${DEBIAN_SUITE}-updates
Components: main
Signed-By: ${KEYRING}

Types: deb
URIs: ${mirror%/}-security
Suites: ${DEBIAN_SUITE}-security
Components: main
Signed-By: ${KEYRING}
EOF
}

main() {
  local force=false
  while (($#)); do
    case $1 in
      --force) force=true ;;
      -h | --help) usage; exit 0 ;;
      *) fail "unknown argument '$1'; see --help" ;;
    esac
    shift
  done
  require_engine
  if [[ ${force} == false ]] && image_exists "${DEBIAN_IMAGE}"; then
    log "${DEBIAN_IMAGE} is already there"
    printf '%s\n' "${DEBIAN_IMAGE}"
    return
  fi
  if [[ ${force} == false ]] && timeout "${PULL_SECONDS_MAX}" docker pull --quiet "${DEBIAN_IMAGE}" > /dev/null 2>&1; then
    log "${DEBIAN_IMAGE} is pulled"
    printf '%s\n' "${DEBIAN_IMAGE}"
    return
  fi
  command -v debootstrap > /dev/null || fail "debootstrap is not installed: apt-get install debootstrap"
  [[ $(id -u) == 0 ]] || fail "debootstrap needs root"
  local mirror="${DEBIAN_MIRROR:-$(machine_mirror)}"
  [[ -n ${mirror} ]] || fail "no Debian mirror in this machine's apt configuration; set DEBIAN_MIRROR to its address"
  work="$(mktemp --directory)"
  trap 'rm -rf "${work}"' EXIT
  log "making ${DEBIAN_IMAGE} with debootstrap"
  debootstrap --variant=minbase --keyring="${KEYRING}" "${DEBIAN_SUITE}" "${work}/root" "${mirror}" > "${work}/log" 2>&1 || {
    tail -n 20 "${work}/log" >&2
    has_room "${work}" || fail "the disk of ${TMPDIR:-/tmp} is full; debootstrap needs 500 MB there"
    fail "debootstrap failed; its last lines are above"
  }
  write_sources "${work}/root" "${mirror}"
  slim "${work}/root"
  # Named when it is whole.
  local image=''
  image="$(tar --directory "${work}/root" --numeric-owner --create . | docker import --change 'CMD ["bash"]' -)" || {
    [[ -z ${image} ]] || docker image rm "${image}" > /dev/null
    fail "the image could not be made; the lines above say why"
  }
  docker tag "${image}" "${DEBIAN_IMAGE}"
  printf '%s\n' "${DEBIAN_IMAGE}"
}

main "$@"
