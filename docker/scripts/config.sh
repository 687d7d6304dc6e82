#!/usr/bin/env bash
# Names, defaults and helpers shared by the scripts beside it. To be sourced, not run.
set -Eeuo pipefail

DOCKER_ROOT="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
VERSIONS_FILE="${DOCKER_ROOT}/versions.env"
# shellcheck source=../versions.env
source "${VERSIONS_FILE}"

REGISTRY_URL="${REGISTRY_URL:-localhost}"
REGISTRY_OWNER="${REGISTRY_OWNER:-agentpod}"
IMAGE_VERSION="${IMAGE_VERSION:-$(< "${DOCKER_ROOT}/VERSION")}"

log() { printf '%s\n' "$*" >&2; }

# Ends the script with one line that says what is wrong and what would fix it.
fail() {
  log "${0##*/}: $*"
  exit 1
}

# Prints the comment block at the top of the script that sources this file.
usage() { awk 'NR > 1 && /^#/ { sub(/^# ?/, ""); print; next } NR > 1 { exit }' "$0"; }

# The folders of flavors or addons, one name a line, in alphabetical order.
names_in() { find "${DOCKER_ROOT}/$1" -mindepth 2 -maxdepth 2 -name Dockerfile -printf '%h\n' | sed 's#.*/##' | LC_ALL=C sort; }

# require_part flavors|addons NAME
require_part() {
  [[ $2 =~ ^[a-z0-9][a-z0-9-]*$ && -f ${DOCKER_ROOT}/$1/$2/Dockerfile ]] ||
    fail "unknown ${1%s} '$2'; there are: $(names_in "$1" | paste --serial --delimiters=' ')"
}

require_engine() {
  command -v docker > /dev/null || fail "the docker command is not installed"
  docker version --format '{{.Server.Version}}' > /dev/null 2>&1 ||
    fail "no Docker engine answers; start one or set DOCKER_HOST"
}

image_exists() { docker image inspect "$1" > /dev/null 2>&1; }

# image_ref NAME -> REGISTRY/OWNER/NAME:VERSION
image_ref() { printf '%s/%s/%s:%s\n' "${REGISTRY_URL}" "${REGISTRY_OWNER}" "$1" "${IMAGE_VERSION}"; }

# The certificates of this machine, when it was told to trust more than the usual ones.
machine_ca() {
  local file
  for file in "${NODE_EXTRA_CA_CERTS:-}" "${SSL_CERT_FILE:-}" "$(npm_setting cafile)"; do
    if [[ -n ${file} && -r ${file} ]]; then
      printf '%s\n' "${file}"
      return
    fi
  done
}

# npm_setting NAME -> its value on this machine; nothing when npm is missing or the value is not set
npm_setting() {
  command -v npm > /dev/null || return 0
  npm config get "$1" 2> /dev/null | grep --invert-match --line-regexp --extended-regexp 'null|undefined' || true
}

# What a build takes from this machine: mirrors, proxies, certificates, npm's credentials.
# Fills the array BUILD_OPTIONS. Secrets are mounted while a step runs and stay in no layer.
machine_options() {
  local npmrc="${NPM_CONFIG_USERCONFIG:-${HOME:-}/.npmrc}" ca name
  BUILD_OPTIONS=(--build-arg "NPM_REGISTRY=$(npm_setting registry)")
  [[ -z ${DEBIAN_MIRROR:-} ]] || BUILD_OPTIONS+=(--secret "id=apt_mirror,env=DEBIAN_MIRROR")
  ca="$(machine_ca)"
  [[ -z ${ca} ]] || BUILD_OPTIONS+=(--secret "id=ca,src=${ca}")
  [[ ! -r ${npmrc} ]] || BUILD_OPTIONS+=(--secret "id=npmrc,src=${npmrc}")
  for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy; do
    [[ -z ${!name:-} ]] || BUILD_OPTIONS+=(--build-arg "${name}")
  done
}

# Every line of versions.env as a build argument, added to BUILD_OPTIONS.
version_options() {
  local name
  while read -r name; do
    BUILD_OPTIONS+=(--build-arg "${name}=${!name}")
  done < <(sed --quiet --regexp-extended 's/^([A-Z0-9_]+)=.*/\1/p' "${VERSIONS_FILE}")
}

# build_image REF CONTEXT [DOCKER BUILD OPTION]...; prints the reference when the image is there
build_image() {
  local ref=$1 context=$2 started=${SECONDS} name
  name="${1##*/}"
  shift 2
  require_engine
  docker buildx version > /dev/null 2>&1 || fail "docker buildx is not installed; the Dockerfiles need BuildKit"
  machine_options
  version_options
  log "building ${ref}"
  docker buildx build --load --provenance=false --progress "${BUILD_PROGRESS:-plain}" "${BUILD_OPTIONS[@]}" \
    --build-arg "IMAGE_VERSION=${IMAGE_VERSION}" --build-arg "IMAGE_REF=${ref}" \
    --label "org.opencontainers.image.title=${name%%[:@]*}" --tag "${ref}" "$@" "${context}" >&2 ||
    return 1
  log "built ${ref} in $((SECONDS - started)) s"
  printf '%s\n' "${ref}"
}
