#!/usr/bin/env bash
# Runs an image as the API does and checks that it is what it says: tools answer, the gateway and
# the addons' services serve, nothing runs as root, it stops in time and keeps its data.
#
# Usage: test-container.sh IMAGE [--help]
#
# Lists every check, ends with "N passed, N failed", and exits with 1 when one failed.

# shellcheck disable=SC2016 # what stands in single quotes is expanded inside the container
set -Eeuo pipefail
# shellcheck source=config.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/config.sh"

TOKEN=test-token-of-the-container
CODE_SERVER_PASSWORD=test-password-of-code-server
STOP_MS_MAX=3000
HEALTHY_SECONDS_MAX=60
SERVING_SECONDS_MAX=90
LIMITS=(--cap-drop ALL --security-opt no-new-privileges --pids-limit 4096 --memory 2g)

passed=0
failed=0
run_id="agentpod-test-$$-${RANDOM}"
container="${run_id}"
volume="${run_id}"
work="$(mktemp --directory)"

clean_up() {
  docker ps --all --quiet --filter "label=dev.agentpod.test=${run_id}" | xargs --no-run-if-empty docker rm --force > /dev/null 2>&1 || true
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
  fi
}

now_ms() { date +%s%3N; }
label() { docker image inspect --format "{{index .Config.Labels \"$1\"}}" "${image}"; }
inside() { docker exec "${container}" "$@"; }
port() { docker port "${container}" "$1" | head -n 1; }

# wait_until SECONDS COMMAND...; generous bounds cost nothing on an idle machine
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    ((SECONDS < deadline)) || { printf 'did not come true in time: %s\n' "$*"; return 1; }
    sleep 0.05
  done
}

start_container() {
  docker run --detach --name "${container}" --label "dev.agentpod.test=${run_id}" "${LIMITS[@]}" \
    --volume "${volume}:/home/developer/workspace" --publish 127.0.0.1::4097 --publish 127.0.0.1::4096 --publish 127.0.0.1::8080 \
    --env AGENTPOD_GATEWAY_TOKEN="${TOKEN}" --env AGENTPOD_CODE_SERVER_PASSWORD="${CODE_SERVER_PASSWORD}" \
    --env AGENTPOD_PROJECT_ID=test-project --env PORT=9 --env HOST=192.0.2.1 "$@" "${image}" > /dev/null
}

# status_is CODE PORT PATH [CURL OPTION]...
status_is() {
  local expected=$1 where=$2 path=$3 actual
  shift 3
  actual="$(curl --silent --max-time 30 --output "${work}/body" --write-out '%{http_code}' "$@" "http://$(port "${where}")${path}")" || true
  [[ ${actual} == "${expected}" ]] || { printf 'status %s, expected %s\n' "${actual}" "${expected}"; return 1; }
}

is_healthy() { [[ $(docker inspect --format '{{.State.Health.Status}}' "${container}") == healthy ]]; }

body_has() { grep --quiet --fixed-strings "$1" "${work}/body" || { cat "${work}/body"; return 1; }; }

test_start() {
  local begun
  begun="$(now_ms)"
  check "starts with all capabilities dropped" start_container
  check "the gateway answers on its published port" wait_until "${HEALTHY_SECONDS_MAX}" status_is 200 4097 /health --max-time 3
  log "        docker run to /health: $(($(now_ms) - begun)) ms"
  check "is healthy by its HEALTHCHECK" wait_until "${HEALTHY_SECONDS_MAX}" is_healthy
}

test_gateway() {
  check "the gateway refuses a request without token" status_is 401 4097 /info
  check "the gateway refuses a wrong token" status_is 401 4097 /info --header "Authorization: Bearer ${TOKEN}x"
  check "the gateway answers with the token" status_is 200 4097 /info --header "Authorization: Bearer ${TOKEN}"
  check "the gateway knows its project" body_has '"projectId":"test-project"'
  check "the gateway knows its image" body_has "\"image\":\"${image}\""
  check "the gateway lists the agents" status_is 200 4097 /v1/agents --header "Authorization: Bearer ${TOKEN}"
  check "OpenCode is installed and told its version" body_has '"id":"opencode","name":"OpenCode","installed":true,"version":"1.'
}

opencode_refuses_and_serves() {
  wait_until "${SERVING_SECONDS_MAX}" status_is 401 4096 /config --max-time 3 &&
    wait_until "${SERVING_SECONDS_MAX}" status_is 200 4096 /config --max-time 10 --user "opencode:${TOKEN}"
}

tool_answers() { inside bash -c "$1 > /dev/null"; }

test_tools() {
  local tool
  for tool in node npm bun bunx opencode git curl jq rg fd tmux rsync make; do
    case ${tool} in
      tmux) check "tmux answers" tool_answers 'tmux -V' ;;
      *) check "${tool} answers" tool_answers "${tool} --version" ;;
    esac
  done
  check "Node.js is 24 or later" tool_answers 'node --eval "process.exit(parseInt(process.versions.node) >= 24 ? 0 : 1)"'
  check "locales en_US.UTF-8 and C.UTF-8 are there" tool_answers 'locale -a | grep -qi en_US.utf8 && locale -a | grep -qi C.utf8'
  check "perl and git work together" tool_answers 'cd "$(mktemp -d)" && git init -q . && perl -MPOSIX -MFile::Temp -MGetopt::Long -e 1'
  if [[ $(label dev.agentpod.flavor) == js ]]; then
    for tool in pnpm yarn tsc tsx eslint prettier vite vitest; do
      check "${tool} answers" tool_answers "${tool} --version"
    done
    check "TypeScript is compiled and run" tool_answers 'cd "$(mktemp -d)" && echo "const n: number = 6 * 7; console.log(n)" > a.ts && tsc a.ts && [ "$(node a.js)" = 42 ] && [ "$(tsx a.ts)" = 42 ]'
  fi
}

runs_without_root() {
  # The first column of every line but ps's own header.
  ! inside ps -eo user= | grep --invert-match --line-regexp developer
}

token_is_hidden() {
  ! docker logs "${container}" 2>&1 | grep --fixed-strings "${TOKEN}" &&
    ! inside bash -c 'cat /proc/[0-9]*/cmdline | tr "\0" " "' | grep --fixed-strings -e "${TOKEN}" -e "${CODE_SERVER_PASSWORD}" &&
    [[ $(inside stat --format '%a %U' /run/agentpod/gateway-token) == '600 developer' ]]
}

test_security() {
  check "runs as the developer, uid 1000" tool_answers '[ "$(id -un):$(id -u)" = developer:1000 ]'
  check "no process runs as root" runs_without_root
  check "the workspace is the developer's" tool_answers 'touch ~/workspace/kept && [ -O ~/workspace ]'
  check "the token is in no log, no command line and readable by the developer alone" token_is_hidden
  check "service users have their fixed ids" tool_answers '[ "$(id -u postgres):$(id -g postgres):$(id -u redis):$(id -g redis)" = 301:301:302:302 ]'
}

logs_in_to_code_server() {
  local jar="${work}/cookies"
  status_is 302 8080 /login --cookie-jar "${jar}" --data-urlencode "password=$1" &&
    status_is 200 8080 / --cookie "${jar}" --location
}

test_code_server() {
  [[ ,$(label dev.agentpod.addons), == *,code-server,* ]] || return 0
  check "code-server serves" wait_until "${SERVING_SECONDS_MAX}" status_is 200 8080 /healthz --max-time 3
  check "code-server asks for the password" status_is 302 8080 /
  check "code-server refuses a wrong password" status_is 200 8080 /login --data-urlencode password=wrong
  check "code-server opens with its password" logs_in_to_code_server "${CODE_SERVER_PASSWORD}"
}

stops_in_time() {
  local begun ms code
  begun="$(now_ms)"
  docker stop --time 10 "${container}" > /dev/null
  ms=$(($(now_ms) - begun))
  code="$(docker inspect --format '{{.State.ExitCode}}' "${container}")"
  printf 'took %s ms, exit code %s\n' "${ms}" "${code}"
  [[ ${code} == 0 ]] && ((ms < STOP_MS_MAX))
}

test_second_start() {
  check "SIGTERM ends it with 0 in less than 3 s" stops_in_time
  docker rm --force "${container}" > /dev/null
  check "a new container starts on the same volume" start_container --env AGENTPOD_SOURCE_URL=https://example.invalid/never-asked
  check "the new container is healthy" wait_until "${HEALTHY_SECONDS_MAX}" is_healthy
  check "the data is kept" inside test -e kept
  check "the source is not fetched over it" bash -c "docker logs ${container} 2>&1 | grep -q '\"source\":\"kept\"'"
  docker rm --force "${container}" > /dev/null
}

bad_source_is_survived() {
  docker run --detach --name "${container}" --label "dev.agentpod.test=${run_id}" "${LIMITS[@]}" \
    --env AGENTPOD_SOURCE_URL="$1" "${image}" > /dev/null
  wait_until "${HEALTHY_SECONDS_MAX}" is_healthy &&
    docker logs "${container}" 2>&1 | grep '"source":"failed"' &&
    [[ -z $(inside ls -A /home/developer/workspace) ]] &&
    ! docker logs "${container}" 2>&1 | grep --fixed-strings hidden-secret
}

generated_token_works() {
  inside bash -c 'curl --fail --silent --header "Authorization: Bearer $(cat /run/agentpod/gateway-token)" http://127.0.0.1:4097/info' &&
    [[ $(inside stat --format %a /run/agentpod/gateway-token) == 600 ]]
}

# Serves a repository with one file from a container of the same image, by plain HTTP.
start_source_server() {
  docker run --detach --name "${container}-source" --label "dev.agentpod.test=${run_id}" --entrypoint bash --workdir /tmp "${image}" -c '
    git init --quiet source && cd source && echo "from the source" > file.txt && git add . &&
    git -c user.name=test -c user.email=test@localhost commit --quiet --message=first && git update-server-info &&
    exec bun --eval "Bun.serve({ port: 8000, fetch: (r) => new Response(Bun.file(\"/tmp/source\" + new URL(r.url).pathname)), error: () => new Response(null, { status: 404 }) })"' > /dev/null
  wait_until 20 docker exec "${container}-source" curl --fail --silent http://127.0.0.1:8000/.git/HEAD
}

source_is_cloned() {
  local address
  address="$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "${container}-source")"
  docker run --detach --name "${container}" --label "dev.agentpod.test=${run_id}" "${LIMITS[@]}" \
    --env AGENTPOD_SOURCE_URL="http://${address}:8000/.git" "${image}" > /dev/null
  wait_until "${HEALTHY_SECONDS_MAX}" is_healthy || { docker logs "${container}"; return 1; }
  [[ $(inside bash -c 'cat file.txt && git status --porcelain && ls -A | LC_ALL=C sort | paste -sd " "') == "from the source"$'\n'".git file.txt" ]] ||
    { docker logs "${container}"; return 1; }
}

# As a kill in the middle of the move leaves the workspace: a whole clone, one part of it moved.
unfinished_source_is_finished() {
  docker run --detach --name "${container}" --label "dev.agentpod.test=${run_id}" --entrypoint bash "${image}" -c '
    mkdir -p ~/workspace/.agentpod-clone/source && cd ~/workspace && touch moved .agentpod-clone/source/left .agentpod-clone/complete &&
    exec tini -g -- agentpod-entrypoint' > /dev/null
  wait_until "${HEALTHY_SECONDS_MAX}" is_healthy || { docker logs "${container}"; return 1; }
  [[ $(inside bash -c 'ls -A | LC_ALL=C sort | paste -sd " "') == "left moved" ]] || { docker logs "${container}"; return 1; }
}

gateway_end_ends_container() {
  docker run --name "${container}" --label "dev.agentpod.test=${run_id}" --env AGENTPOD_GATEWAY_PORT=wrong "${image}" > "${work}/output" 2>&1 && return 1
  docker logs "${container}" 2>&1 | grep AGENTPOD_GATEWAY_PORT
}

test_sources() {
  check "a source can be served" start_source_server
  check "a source is cloned into the empty workspace" source_is_cloned
  docker rm --force "${container}" "${container}-source" > /dev/null
  check "a move of the source that was cut off is finished" unfinished_source_is_finished
  docker rm --force "${container}" > /dev/null
}

test_odd_starts() {
  check "a local source is refused, and the sandbox comes up" bad_source_is_survived file:///etc
  check "without a token one is made" generated_token_works
  docker rm --force "${container}" > /dev/null
  check "a source that cannot be reached is told without its password" bad_source_is_survived https://user:hidden-secret@127.0.0.1:9/x
  docker rm --force "${container}" > /dev/null
  check "wrong settings end the container, and the log says which" gateway_end_ends_container
  docker rm --force "${container}" > /dev/null
}

main() {
  case ${1:-} in
    '') fail "name the image to test; see --help" ;;
    -h | --help) usage; exit 0 ;;
  esac
  image=$1
  require_engine
  image_exists "${image}" || fail "image '${image}' is not here; build or pull it first"
  docker volume create --label "dev.agentpod.test=${run_id}" "${volume}" > /dev/null
  test_start
  test_gateway
  check "OpenCode's server refuses without and serves with the token" opencode_refuses_and_serves
  test_tools
  test_security
  test_code_server
  test_second_start
  test_sources
  test_odd_starts
  printf '%s passed, %s failed\n' "${passed}" "${failed}"
  ((failed == 0))
}

main "$@"
