#!/usr/bin/env bash
# Checks of starting, being healthy and not, stopping, and starting again on the same volume.

# shellcheck disable=SC2154 # container-checks.sh sets them

check_start() {
  local begun
  begun="$(now_ms)"
  check "starts with all capabilities dropped" start_container
  check "is reachable" wait_until "${HEALTHY_SECONDS_MAX}" status_is 200 4097 /health --max-time 3
  log "        docker run to /health: $(($(now_ms) - begun)) ms"
  check "is healthy by its HEALTHCHECK" wait_until "${HEALTHY_SECONDS_MAX}" is_healthy
  check_services "after the first start"
}

check_restart() {
  of_each_part leave
  check "SIGTERM ends it with 0 in less than 3 s" stops_in_time
  remove_container "${container}"
  check "a new container starts on the same volume" start_container --env AGENTPOD_SOURCE_URL=https://example.invalid/never-asked
  check "the new container is healthy" wait_until "${HEALTHY_SECONDS_MAX}" is_healthy
  check_services "after the second start"
  of_each_part find
  check "the source is not fetched over the data" log_has '"source":"kept"'
  check "SIGTERM ends it in time again" stops_in_time
  remove_container "${container}"
}

log_has() { docker logs "${container}" 2>&1 | grep --fixed-strings -- "$1"; }

stops_in_time() {
  local begun ms code max
  max="$(stop_ms_max)"
  begun="$(now_ms)"
  docker stop --time 10 "${container}" > /dev/null
  ms=$(($(now_ms) - begun))
  code="$(docker inspect --format '{{.State.ExitCode}}' "${container}")"
  printf 'took %s ms of %s, exit code %s\n' "${ms}" "${max}" "${code}"
  [[ ${code} == 0 ]] && ((ms < max))
}

# A machine with more to do than it has cores gives everything its share, so that takes as much longer. One that
# does not end at all is killed, which the exit code tells.
stop_ms_max() {
  [[ -r /proc/loadavg ]] || { printf '%s\n' "${STOP_MS_MAX}"; return; }
  awk -v max="${STOP_MS_MAX}" -v cores="$(nproc)" '{ share = $1 / cores; print int(max * (share > 1 ? share : 1)) }' /proc/loadavg
}

# The image's own command, asked more often than it says, so that the verdict comes sooner.
check_health() {
  check "starts with a health check every second" start_container --health-interval 1s --health-start-interval 200ms
  check "is healthy" wait_until "${HEALTHY_SECONDS_MAX}" is_healthy
  check "the gateway can be stopped" inside supervisorctl -c /etc/agentpod/supervisord.conf stop gateway
  check "is unhealthy when the gateway is stopped" wait_until "${HEALTHY_SECONDS_MAX}" health_is unhealthy
  check "the gateway can be started" inside supervisorctl -c /etc/agentpod/supervisord.conf start gateway
  check "is healthy when the gateway is back" wait_until "${HEALTHY_SECONDS_MAX}" is_healthy
  remove_container "${container}"
}

check_read_only() {
  local folder options=()
  for folder in $(of_each_part tmpfs | LC_ALL=C sort --unique); do
    options+=(--tmpfs "${folder}:rw,exec,mode=700,uid=1000,gid=1000")
  done
  check "starts with a root that cannot be written" start_container --read-only --tmpfs /tmp "${options[@]}"
  check "is healthy with it" wait_until "${HEALTHY_SECONDS_MAX}" is_healthy
  check_services "with it"
  check "SIGTERM ends it in time with it" stops_in_time
  remove_container "${container}"
}
