#!/usr/bin/env bash
# What every check of an image uses: counting, the container under test, and questions to it.
# Sourced by test-container.sh, which sets IMAGE; the parts' checks.sh may use all that stands here.

# shellcheck disable=SC2034 # the parts' checks use them
TOKEN=test-token-of-the-container
HEALTHY_SECONDS_MAX="${HEALTHY_SECONDS_MAX:-60}"
SERVING_SECONDS_MAX="${SERVING_SECONDS_MAX:-90}"
STOP_MS_MAX=3000
LIMITS=(--cap-drop ALL --security-opt no-new-privileges --pids-limit 4096 --memory 2g)

passed=0
failed=0
run_id="agentpod-test-$$-${RANDOM}"
container="${run_id}"
volume="${run_id}"
work="$(mktemp --directory)"

clean_up() {
  docker ps --all --quiet --filter "label=dev.agentpod.test=${run_id}" |
    xargs --no-run-if-empty docker rm --force --volumes > /dev/null 2>&1 || true
  docker volume rm --force "${volume}" > /dev/null 2>&1 || true
  rm -rf "${work}"
}
trap clean_up EXIT

# check NAME COMMAND...: its output is shown only when it fails
check() {
  local name=$1
  shift
  if "$@" > "${work}/output" 2>&1; then
    passed=$((passed + 1))
    printf 'ok      %s\n' "${name}"
  else
    failed=$((failed + 1))
    printf 'FAILED  %s\n' "${name}"
    sed 's/^/        /' "${work}/output" | tail -n 20
    has_room "${work}" || printf '        the disk of %s is full\n' "${TMPDIR:-/tmp}"
  fi
}

now_ms() { date +%s%3N; }

# wait_until SECONDS COMMAND...; generous bounds cost nothing on an idle machine
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" > "${work}/waited" 2>&1; do
    ((SECONDS < deadline)) || { printf 'did not come true in time: %s\n' "$*"; cat "${work}/waited"; return 1; }
    sleep 0.05
  done
}

# label NAME [IMAGE]
label() { docker image inspect --format "{{with index .Config.Labels \"$1\"}}{{.}}{{end}}" "${2:-${IMAGE}}"; }

inside() { docker exec "${container}" "$@"; }

# port CONTAINER_PORT -> HOST:PORT where it is published
port() { docker port "${container}" "$1" | head -n 1; }

tool_answers() { inside bash -c "$1 > /dev/null"; }

# without_network SCRIPT: in an empty folder of a container that has no network and goes on for the next
without_network() {
  docker container inspect "${container}-offline" > /dev/null 2>&1 ||
    docker run --detach --name "${container}-offline" --label "dev.agentpod.test=${run_id}" "${LIMITS[@]}" --network none \
      --entrypoint sleep "${IMAGE}" infinity > /dev/null || return 1
  docker exec "${container}-offline" bash -c "cd \"\$(mktemp --directory)\" && $1"
}

# version_is NAME COMMAND REGEX: the command runs in the container and its output holds the expression
version_is() { check "$1 answers and is the version promised" output_matches "$2" "$3"; }

output_matches() {
  local output
  output="$(inside bash -c "$1" 2>&1)" || { printf '%s\n' "${output}"; return 1; }
  grep --quiet --extended-regexp -- "$2" <<< "${output}" || { printf 'no %s in: %s\n' "$2" "${output}"; return 1; }
}

# versions: lines of "NAME | COMMAND | REGEX" on stdin
versions() {
  local name command expected
  while IFS='|' read -r -u 3 name command expected; do
    version_is "$(trim "${name}")" "$(trim "${command}")" "$(trim "${expected}")"
  done 3< <(grep '|')
}

trim() { sed -E 's/^ +//; s/ +$//' <<< "$1"; }

# status_is CODE CONTAINER_PORT PATH [CURL OPTION]...; the body is kept for body_has
status_is() {
  local expected=$1 where=$2 path=$3 actual
  shift 3
  actual="$(curl --silent --max-time 30 --output "${work}/body" --write-out '%{http_code}' "$@" "http://$(port "${where}")${path}")" || true
  [[ ${actual} == "${expected}" ]] || { printf 'status %s, expected %s\n' "${actual}" "${expected}"; return 1; }
}

body_has() { grep --quiet --fixed-strings -- "$1" "${work}/body" || { cat "${work}/body"; return 1; }; }

is_healthy() { health_is healthy; }

health_is() {
  local health
  health="$(docker inspect --format '{{.State.Health.Status}}' "${container}")"
  [[ ${health} == "$1" ]] || { printf 'is %s, expected %s\n' "${health}" "$1"; return 1; }
}

# is_hidden SECRET: neither the log nor a command line tells it
is_hidden() {
  ! docker logs "${container}" 2>&1 | grep --fixed-strings -- "$1" &&
    ! inside bash -c 'cat /proc/[0-9]*/cmdline | tr "\0" " "' | grep --fixed-strings -- "$1"
}

# start_container [DOCKER RUN OPTION]...: as the API starts it, on the volume, with the parts' ports and settings
start_container() {
  local options=() line
  while read -r line; do options+=(--publish "127.0.0.1::${line}"); done < <(of_each_part ports)
  while read -r line; do options+=(--env "${line}"); done < <(of_each_part environment)
  docker run --detach --name "${container}" --label "dev.agentpod.test=${run_id}" "${LIMITS[@]}" \
    --volume "${volume}:/home/developer/workspace" "${options[@]}" "$@" "${IMAGE}" > /dev/null
}

remove_container() { docker rm --force --volumes "$@" > /dev/null; }

# as_root SCRIPT: in a container of its own in which nothing was started yet
as_root() {
  docker run --rm --label "dev.agentpod.test=${run_id}" --user root --network none --entrypoint bash "${IMAGE}" -c "$1"
}
