#!/usr/bin/env bash
# Runs an image as the API does and checks that it is what it says: its files, its tools, its services,
# who they run as, how it stops, what it keeps. Each part of the image brings its checks (checks.sh).
#
# Usage: test-container.sh IMAGE [--only STAGE[,STAGE]...] [--help]
#
#   IMAGE          a full reference, or a name such as agentpod-js, looked for under REGISTRY_URL/REGISTRY_OWNER
#   --only STAGE   files       owners, modes, secrets in layers
#                  layers      that addons change nothing of the base; only for addons on the base alone
#                  running     the parts' checks in a running container
#                  restart     stopping, and a second start on the same volume; needs running
#                  health      the health check, good and bad
#                  read-only   a root that cannot be written
#                  apart       starts with odd settings and sources
#
# Lists every check, ends with "N passed, N failed", and exits with 1 when one failed.
#
# Environment: HEALTHY_SECONDS_MAX (60), SERVING_SECONDS_MAX (90): how long a start may take.
set -Eeuo pipefail
SCRIPTS="$(dirname -- "${BASH_SOURCE[0]}")"
# shellcheck source=config.sh
source "${SCRIPTS}/config.sh"

STAGES=files,layers,running,restart,health,read-only,apart

run_stage() {
  case $1 in
    files) check_files ;;
    layers) check_layers ;;
    running) check_start && of_each_part checks ;;
    restart) check_restart ;;
    health) remove_container "${container}" 2> /dev/null || true; check_health ;;
    read-only) remove_container "${container}" 2> /dev/null || true; check_read_only ;;
    apart) remove_container "${container}" 2> /dev/null || true; of_each_part apart ;;
  esac
}

main() {
  local stages=${STAGES} stage
  IMAGE=''
  while (($#)); do
    case $1 in
      -h | --help) usage; exit 0 ;;
      --only) stages="$(value_of "$@")"; shift ;;
      -*) fail "unknown option '$1'; see --help" ;;
      *) [[ -z ${IMAGE} ]] || fail "one image at a time; see --help"; IMAGE=$1 ;;
    esac
    shift
  done
  [[ -n ${IMAGE} ]] || fail "name the image to test; see --help"
  for stage in ${stages//,/ }; do
    [[ ,${STAGES}, == *,${stage},* ]] || fail "unknown stage '${stage}'; there are: ${STAGES//,/ }"
  done
  [[ ,${stages}, != *,restart,* || ,${stages}, == *,running,*restart,* ]] || fail "restart needs running before it"
  require_engine
  image_exists "${IMAGE}" || ! image_exists "$(image_ref "${IMAGE%%:*}")" || IMAGE="$(image_ref "${IMAGE%%:*}")"
  image_exists "${IMAGE}" || fail "image '${IMAGE}' is not here; build or pull it first"
  # shellcheck source=lib/container-checks.sh
  source "${SCRIPTS}/lib/container-checks.sh"
  # shellcheck source=lib/image-parts.sh
  source "${SCRIPTS}/lib/image-parts.sh"
  # shellcheck source=lib/image-files.sh
  source "${SCRIPTS}/lib/image-files.sh"
  # shellcheck source=lib/image-layers.sh
  source "${SCRIPTS}/lib/image-layers.sh"
  # shellcheck source=lib/life-cycle.sh
  source "${SCRIPTS}/lib/life-cycle.sh"
  load_parts
  docker volume create --label "dev.agentpod.test=${run_id}" "${volume}" > /dev/null
  for stage in ${stages//,/ }; do run_stage "${stage}"; done
  printf '%s passed, %s failed\n' "${passed}" "${failed}"
  ((failed == 0))
}

main "$@"
