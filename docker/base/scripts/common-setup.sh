#!/usr/bin/env bash
# What the Dockerfiles of the base, the flavors and the addons have in common. Runs as root in a build.
#
# Usage: common-setup.sh apt-install PACKAGE...    install from Debian, leave no lists, caches or logs
#        common-setup.sh apt-download FOLDER PACKAGE...
#                                                  Debian packages as files, without what they depend on
#        common-setup.sh npm ARGUMENT...           npm without install scripts
#        common-setup.sh fetch "NAME@VERSION INTEGRITY" FOLDER
#                                                  unpack one npm tarball after checking it
#        common-setup.sh slim                      leave out files nobody runs, now and in later installs
#        common-setup.sh users                     the developer and the fixed ids of service users
#
# Reads the build argument NPM_REGISTRY and the build secrets "apt_mirror" (the address of a Debian
# archive), "ca" and "npmrc"; a step mounts those it needs, and nothing of them stays in the image.
set -Eeuo pipefail

CA_FILE=/run/secrets/ca
NPMRC_FILE=/run/secrets/npmrc
MIRROR_FILE=/run/secrets/apt_mirror

main() {
  local task=${1:-}
  (($#)) && shift
  case ${task} in
    apt-install) run_apt install --yes "$@" ;;
    apt-download) apt_download "$@" ;;
    npm) run_npm "$@" ;;
    fetch) fetch "$@" ;;
    slim) slim ;;
    users) users ;;
    *) awk 'NR > 1 && /^#/ { sub(/^# ?/, ""); print; next } NR > 1 { exit }' "$0" >&2 && exit 2 ;;
  esac
}

apt_download() {
  mkdir --parents "$1"
  cd "$1"
  run_apt download -o APT::Sandbox::User=root "${@:2}"
}

# run_apt ARGUMENT...: apt-get with fresh lists, from the machine's mirror, leaving nothing behind
run_apt() {
  export DEBIAN_FRONTEND=noninteractive
  local options=(-qq -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Install-Recommends=false -o Dpkg::Use-Pty=0)
  [[ -f ${CA_FILE} ]] && options+=(-o "Acquire::https::CaInfo=${CA_FILE}")
  if [[ -s ${MIRROR_FILE} ]]; then
    local sources
    sources="$(mktemp --directory)"
    chmod 755 "${sources}"
    write_sources > "${sources}/mirror.sources"
    options+=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=${sources}")
  fi
  apt-get "${options[@]}" update
  apt-get "${options[@]}" "$@"
  rm -rf "${sources:-/nonexistent}"
  clean_apt
}

# The image's own sources, with the mirror in place of the archive they name.
write_sources() {
  local mirror
  mirror="$(< "${MIRROR_FILE}")"
  mirror=${mirror%/}
  sed -E "s#^(URIs:) \S+-security/?\$#\1 ${mirror}-security#; t; s#^URIs: .*#URIs: ${mirror}#" \
    /etc/apt/sources.list.d/debian.sources
}

clean_apt() {
  rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /var/cache/apt/*.bin /var/log/apt/* \
    /var/log/{dpkg,alternatives}.log /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/cache/ldconfig/aux-cache
}

run_npm() {
  export NPM_CONFIG_IGNORE_SCRIPTS=true NPM_CONFIG_AUDIT=false NPM_CONFIG_FUND=false NPM_CONFIG_UPDATE_NOTIFIER=false
  export NPM_CONFIG_LOGLEVEL="${NPM_CONFIG_LOGLEVEL:-error}"
  NPM_CONFIG_CACHE="$(mktemp --directory)"
  export NPM_CONFIG_CACHE
  [[ -f ${NPMRC_FILE} ]] && export NPM_CONFIG_USERCONFIG="${NPMRC_FILE}"
  [[ -n ${NPM_REGISTRY:-} ]] && export NPM_CONFIG_REGISTRY="${NPM_REGISTRY}"
  [[ -f ${CA_FILE} ]] && export NPM_CONFIG_CAFILE="${CA_FILE}" NODE_EXTRA_CA_CERTS="${CA_FILE}"
  npm "$@"
  rm -rf "${NPM_CONFIG_CACHE}"
}

fetch() {
  local spec=${1% *} integrity=${1#* } folder=$2 work
  work="$(mktemp --directory)"
  run_npm pack --silent --pack-destination "${work}" "${spec}" > /dev/null
  local tarball=("${work}"/*.tgz)
  local actual
  actual="sha512-$(node --print 'crypto.createHash("sha512").update(fs.readFileSync(process.argv[1])).digest("base64")' "${tarball[0]}")"
  if [[ ${actual} != "${integrity}" ]]; then
    printf '%s: the checksum is %s, expected %s\n' "${spec}" "${actual}" "${integrity}" >&2
    exit 1
  fi
  mkdir --parents "${folder}"
  tar --extract --gzip --file "${tarball[0]}" --directory "${folder}" --strip-components=1 --no-same-owner
  rm -rf "${work}"
}

slim() {
  cat > /etc/dpkg/dpkg.cfg.d/agentpod << 'EOF'
# Documentation and translations.
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/groff/*
path-exclude=/usr/share/lintian/*
path-exclude=/usr/share/locale/*
path-include=/usr/share/locale/locale.alias
# Serving git repositories and sending patches by mail; a sandbox is a client.
path-exclude=/usr/lib/git-core/git-daemon
path-exclude=/usr/lib/git-core/git-http-backend
path-exclude=/usr/lib/git-core/git-http-push
path-exclude=/usr/lib/git-core/git-imap-send
path-exclude=/usr/lib/git-core/git-shell
path-exclude=/usr/bin/git-shell
path-exclude=/usr/lib/git-core/scalar
path-exclude=/usr/bin/scalar
path-exclude=/usr/share/gitweb/*
# Perl is here because git needs it: without its C headers, East Asian legacy encodings and package tools.
path-exclude=/usr/lib/*/perl/5.*/CORE/*
path-exclude=/usr/lib/*/perl/5.*/auto/Encode/CN/*
path-exclude=/usr/lib/*/perl/5.*/auto/Encode/JP/*
path-exclude=/usr/lib/*/perl/5.*/auto/Encode/KR/*
path-exclude=/usr/lib/*/perl/5.*/auto/Encode/TW/*
path-exclude=/usr/lib/*/perl/5.*/auto/Unicode/Collate/*
path-exclude=/usr/share/perl/5.*/CPAN/*
path-exclude=/usr/share/perl/5.*/ExtUtils/*
path-exclude=/usr/share/perl/5.*/Module/CoreList*
path-exclude=/usr/share/perl/5.*/Test2/*
path-exclude=/usr/share/perl/5.*/Unicode/Collate/*
path-exclude=/usr/share/perl/5.*/unicore/TestNorm.pl
path-exclude=/usr/share/perl/5.*/*.pod
# Compilers of flavors and addons: without gcc's link-time optimisation and sanitizers, static interpreters,
# tests, the compilers' own sources, and what makes other Java runtimes.
path-exclude=/usr/libexec/gcc/*/lto1
path-exclude=/usr/bin/*lto-dump*
path-exclude=/usr/lib/gcc/*/lib?san*
path-exclude=/usr/lib/gcc/*/libhwasan*
path-exclude=/usr/lib/*/lib?san.so.*
path-exclude=/usr/lib/*/libhwasan.so.*
path-exclude=/usr/lib/*/libpython3*.a
path-exclude=/usr/lib/python3*/config-*/*.a
path-exclude=/usr/share/go-*/api/*
path-exclude=/usr/share/go-*/test/*
path-exclude=/usr/share/go-*/src/*_test.go
path-exclude=/usr/share/go-*/src/*/testdata/*
path-exclude=/usr/src/rustc-*
path-include=/usr/src/rustc-*/library/*
path-exclude=/usr/src/rustc-*/library/*/tests/*
path-exclude=/usr/src/rustc-*/library/stdarch/crates/stdarch-verify/*
path-exclude=/usr/lib/jvm/*/jmods/*
path-exclude=/usr/lib/jvm/*/lib/server/classes_nocoops.jsa
EOF
}

# Ids below Debian's dynamic range: layers built apart from each other agree on who owns what.
users() {
  useradd --create-home --uid 1000 --user-group --shell /bin/bash developer
  service_user 301 postgres /var/lib/postgresql
  service_user 302 redis /var/lib/redis
  service_user 303 messagebus /nonexistent
  groupadd --gid 304 --system ssl-cert
}

service_user() {
  local id=$1 name=$2 home=$3
  groupadd --gid "${id}" --system "${name}"
  useradd --uid "${id}" --gid "${id}" --system --no-create-home --home-dir "${home}" --shell /usr/sbin/nologin "${name}"
}

main "$@"
