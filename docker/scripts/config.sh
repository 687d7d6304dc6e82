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

# value_of --OPTION VALUE... -> VALUE
value_of() {
  [[ -n ${2:-} ]] || fail "$1 needs a value; see --help"
  printf '%s\n' "$2"
}

# The folders of flavors or addons, one name a line, in alphabetical order.
names_in() { find "${DOCKER_ROOT}/$1" -mindepth 2 -maxdepth 2 -name Dockerfile -printf '%h\n' | sed 's#.*/##' | LC_ALL=C sort; }

# require_part flavors|addons NAME
require_part() {
  [[ $2 =~ ^[a-z0-9][a-z0-9-]*$ && -f ${DOCKER_ROOT}/$1/$2/Dockerfile ]] ||
    fail "unknown ${1%s} '$2'; there are: $(names_in "$1" | paste --serial --delimiters=' ')"
}

# What images are called is refused here, where it can be said which setting is wrong.
require_names() {
  local name='[a-z0-9]+([._-]+[a-z0-9]+)*'
  [[ ${REGISTRY_URL} =~ ^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(:[0-9]+)?(/${name})*$ ]] ||
    fail "REGISTRY_URL is '${REGISTRY_URL}'; a registry is named as registry.example.com or 127.0.0.1:5000, without https://"
  [[ ${REGISTRY_OWNER} =~ ^${name}(/${name})*$ ]] ||
    fail "REGISTRY_OWNER is '${REGISTRY_OWNER}'; it is part of images' names, which are in lower case"
  [[ ${IMAGE_VERSION} =~ ^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$ ]] ||
    fail "IMAGE_VERSION is '${IMAGE_VERSION}'; it is the images' tag: letters, digits, '.', '_' and '-'"
}

require_engine() {
  require_names
  command -v docker > /dev/null || fail "the docker command is not installed"
  docker version --format '{{.Server.Version}}' > /dev/null 2>&1 ||
    fail "no Docker engine answers; start one or set DOCKER_HOST"
}

# require_image REF HINT: it is on the engine, or comes from its registry; images under localhost are never pulled
require_image() {
  image_exists "$1" && return
  [[ $1 != localhost/* ]] || fail "$1 is not here; $2"
  pull_image "$1" || fail "$1 is neither here nor can it be pulled; $2"
}

pull_image() {
  [[ $1 != localhost/* ]] || return 1
  log "pulling $1"
  docker pull --quiet "$1" > /dev/null
}

image_exists() { docker image inspect "$1" > /dev/null 2>&1; }

# image_ref NAME -> REGISTRY/OWNER/NAME:VERSION
image_ref() { printf '%s/%s/%s:%s\n' "${REGISTRY_URL}" "${REGISTRY_OWNER}" "$1" "${IMAGE_VERSION}"; }

# has_room FOLDER: something can be written there
has_room() { head --bytes=100000 /dev/zero > "$1/room" 2> /dev/null && rm "$1/room"; }
