#!/usr/bin/env bash
# Builds one addon on top of an image: the base, a flavor, or one that has addons. Prints the reference.
#
# Usage: build-addon.sh ADDON --base IMAGE [--tag NAME] [--help]
#
#   --base IMAGE   a full reference, or a name such as agentpod-js or agentpod-js:1.2.3, which is
#                  looked for under REGISTRY_URL/REGISTRY_OWNER
#   --tag NAME     the full reference to give the image; by default the base's name and the addon's,
#                  addons in alphabetical order
#
# Environment: as for build-base.sh.
set -Eeuo pipefail
# shellcheck source=config.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/config.sh"

# The base as it stands on the engine: what was given, or that name in our registry.
find_base() {
  local given=$1 candidate
  local candidates=("${given}" "${REGISTRY_URL}/${REGISTRY_OWNER}/${given}" "$(image_ref "${given%%:*}")")
  for candidate in "${candidates[@]}"; do
    if image_exists "${candidate}"; then
      printf '%s\n' "${candidate}"
      return
    fi
  done
  fail "base image '${given}' is not here; build it first (build.sh --flavor FLAVOR) or pull it"
}

label() { docker image inspect --format "{{index .Config.Labels \"$1\"}}" "$2"; }

# name_with FLAVOR ADDONS ADDON -> agentpod-FLAVOR-ADDON..., every addon once, in order
name_with() {
  local flavor=${1:-base} addons
  addons="$(printf '%s\n' "${2//,/$'\n'}" "$3" | grep . | LC_ALL=C sort --unique | paste --serial --delimiters=-)"
  printf 'agentpod-%s-%s\n' "${flavor}" "${addons}"
}

main() {
  local addon='' base='' tag=''
  while (($#)); do
    case $1 in
      -h | --help) usage; exit 0 ;;
      --base) base=${2:?"--base needs an image"}; shift ;;
      --tag) tag=${2:?"--tag needs a name"}; shift ;;
      -*) fail "unknown option '$1'; see --help" ;;
      *) [[ -z ${addon} ]] || fail "one addon at a time; see --help"; addon=$1 ;;
    esac
    shift
  done
  [[ -n ${addon} ]] || fail "name an addon: $(names_in addons | paste --serial --delimiters=' ')"
  require_part addons "${addon}"
  [[ -n ${base} ]] || fail "name the image to build on: --base IMAGE"
  require_engine
  base="$(find_base "${base}")"
  local addons fetch_image
  addons="$(label dev.agentpod.addons "${base}")"
  [[ ",${addons}," != *",${addon},"* ]] || fail "${base} has ${addon} already"
  tag="${tag:-$(image_ref "$(name_with "$(label dev.agentpod.flavor "${base}")" "${addons}" "${addon}")")}"
  # What an addon fetches does not depend on the flavor; on the base it is fetched once for all.
  fetch_image="$(image_ref agentpod-base)"
  image_exists "${fetch_image}" || fetch_image="${base}"
  build_image "${tag}" "${DOCKER_ROOT}/addons/${addon}" --build-arg "BASE_IMAGE=${base}" \
    --build-arg "FETCH_IMAGE=${fetch_image}" --build-arg "ADDONS=$(printf '%s\n' "${addons//,/$'\n'}" "${addon}" | grep . | LC_ALL=C sort --unique | paste --serial --delimiters=,)" ||
    fail "addon ${addon} could not be built; the log above says which step failed"
}

main "$@"
