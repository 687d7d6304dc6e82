#!/usr/bin/env bash
# Builds images in the order they stand on each other, using the cache. The last line printed on
# stdout is the reference of the last image.
#
# Usage: build.sh all                                   the base, every flavor, every addon on each of them
#        build.sh base|flavors|addons                   that level; the one below has to be there
#        build.sh --flavor FLAVOR [--addon ADDON]...    exactly the images this one needs, and it
#        build.sh --help
#
# Environment: as for build-base.sh.
set -Eeuo pipefail
SCRIPTS="$(dirname -- "${BASH_SOURCE[0]}")"
# shellcheck source=config.sh
source "${SCRIPTS}/config.sh"
# shellcheck source=lib/bake.sh
source "${SCRIPTS}/lib/bake.sh"

build_flavors() {
  local targets
  require_image "$(image_ref agentpod-base)" "run build.sh base first"
  mapfile -t targets < <(names_in flavors | sed 's/^/flavor-/')
  bake "${targets[@]}"
}

# On every flavor, and on the base alone, where it is measured what an addon weighs. One flavor after the
# other: an engine that makes dozens of images at once runs into its own time limits.
build_addons() {
  local flavor targets
  for flavor in base $(names_in flavors); do
    require_image "$(image_ref "agentpod-${flavor}")" "run build.sh flavors first"
  done
  for flavor in base $(names_in flavors); do
    mapfile -t targets < <(names_in addons | sed "s/^/addon-${flavor}-/")
    bake "${targets[@]}"
  done
}

# build_one FLAVOR [ADDON]...
build_one() {
  local flavor=$1 image addon addons=()
  shift
  require_part flavors "${flavor}"
  for addon in "$@"; do require_part addons "${addon}"; done
  "${SCRIPTS}/build-base.sh" > /dev/null
  image="$("${SCRIPTS}/build-flavor.sh" "${flavor}")"
  mapfile -t addons < <(printf '%s\n' "$@" | grep . | LC_ALL=C sort --unique)
  for addon in "${addons[@]}"; do image="$("${SCRIPTS}/build-addon.sh" "${addon}" --base "${image}")"; done
  printf '%s\n' "${image}"
}

# Writes docker/manifest.json, and fails when an image is over its budget.
measure() { "${SCRIPTS}/manifest.sh" >&2; }

main() {
  local target='' flavor='' addon addons=()
  while (($#)); do
    case $1 in
      -h | --help) usage; exit 0 ;;
      --flavor) flavor="$(value_of "$@")"; shift ;;
      --addon) addon="$(value_of "$@")"; addons+=("${addon}"); shift ;;
      all | base | flavors | addons) [[ -z ${target} ]] || fail "one target at a time; see --help"; target=$1 ;;
      *) fail "unknown argument '$1'; see --help" ;;
    esac
    shift
  done
  [[ -z ${target} || -z ${flavor}${addons[*]-} ]] || fail "give a target or --flavor, not both"
  case ${target} in
    all) "${SCRIPTS}/build-base.sh"; build_flavors; build_addons; measure ;;
    base) "${SCRIPTS}/build-base.sh"; measure ;;
    flavors) build_flavors; measure ;;
    addons) build_addons; measure ;;
    *)
      [[ -n ${flavor} ]] || fail "say what to build: all, base, flavors, addons, or --flavor FLAVOR"
      build_one "${flavor}" "${addons[@]}"
      ;;
  esac
}

main "$@"
