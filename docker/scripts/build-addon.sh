#!/usr/bin/env bash
# Builds one addon on top of an image: the base, a flavor, or one that has addons. Prints the reference.
#
# Usage: build-addon.sh ADDON --base IMAGE [--tag NAME] [--help]
#
#   --base IMAGE   a full reference, or a name such as agentpod-js or agentpod-js:1.2.3, which is
#                  looked for under REGISTRY_URL/REGISTRY_OWNER, on the engine and in the registry
#   --tag NAME     the full reference to give the image; by default the base's name and the addon's,
#                  addons in alphabetical order
#
# Environment: as for build-base.sh.
set -Eeuo pipefail
# shellcheck source=config.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/config.sh"
# shellcheck source=lib/bake.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib/bake.sh"

# The base as it stands on the engine, or in our registry: what was given, or that name under ours.
find_base() {
  local given=$1 candidate ours
  ours="$(image_ref "${given%%:*}")"
  for candidate in "${given}" "${REGISTRY_URL}/${REGISTRY_OWNER}/${given}" "${ours}"; do
    if image_exists "${candidate}"; then
      printf '%s\n' "${candidate}"
      return
    fi
  done
  [[ ${given} != */* ]] || ours=${given}
  require_image "${ours}" "build it first (build.sh --flavor FLAVOR)"
  printf '%s\n' "${ours}"
}

label() { docker image inspect --format "{{index .Config.Labels \"$1\"}}" "$2"; }

# with_addon ADDONS ADDON -> a comma list of all of them, every one once, in order
with_addon() { printf '%s\n' "${1//,/$'\n'}" "$2" | grep . | LC_ALL=C sort --unique | paste --serial --delimiters=,; }

main() {
  local addon='' base='' tag=''
  while (($#)); do
    case $1 in
      -h | --help) usage; exit 0 ;;
      --base) base="$(value_of "$@")"; shift ;;
      --tag) tag="$(value_of "$@")"; shift ;;
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
  local flavor addons
  flavor="$(label dev.agentpod.flavor "${base}")"
  addons="$(label dev.agentpod.addons "${base}")"
  [[ ",${addons}," != *",${addon},"* ]] || fail "${base} has ${addon} already"
  addons="$(with_addon "${addons}" "${addon}")"
  export STEP_ADDON=${addon} STEP_BELOW=${base} STEP_ADDONS=${addons}
  STEP_REF="${tag:-$(image_ref "agentpod-${flavor:-base}-${addons//,/-}")}"
  # What an addon fetches does not depend on the flavor; on the base it is fetched once for all.
  STEP_FETCH="$(image_ref agentpod-base)"
  image_exists "${STEP_FETCH}" || pull_image "${STEP_FETCH}" || STEP_FETCH=${base}
  export STEP_REF STEP_FETCH
  bake step
}

main "$@"
