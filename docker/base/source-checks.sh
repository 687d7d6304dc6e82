# shellcheck shell=bash
# The base's checks that start containers of their own: sources, missing tokens, wrong settings.

# shellcheck disable=SC2154 # scripts/lib/container-checks.sh sets them

apart_base() {
  check "a source can be served" start_source_server
  check "a source is cloned into the empty workspace" source_is_cloned
  remove_container "${container}" "${container}-source"
  check "a move of the source that was cut off is finished" unfinished_source_is_finished
  remove_container "${container}"
  check "a local source is refused, and the sandbox comes up" bad_source_is_survived file:///etc
  check "without a token one is made" generated_token_works
  remove_container "${container}"
  check "a source that cannot be reached is told without its password" bad_source_is_survived https://user:hidden-secret@127.0.0.1:9/x
  remove_container "${container}"
  check "wrong settings end the container, and the log says which" gateway_end_ends_container
  remove_container "${container}"
}

# run_apart [DOCKER RUN OPTION]... IMAGE [ARGUMENT]...: a container without volume, ports and settings
run_apart() { docker run --detach --label "dev.agentpod.test=${run_id}" "${LIMITS[@]}" "$@" > /dev/null; }

# Serves a repository with one file from a container of the same image, by plain HTTP.
start_source_server() {
  run_apart --name "${container}-source" --entrypoint bash --workdir /tmp "${IMAGE}" -c '
    git init --quiet source && cd source && echo "from the source" > file.txt && git add . &&
    git -c user.name=test -c user.email=test@localhost commit --quiet --message=first && git update-server-info &&
    exec bun --eval "Bun.serve({ port: 8000, fetch: (r) => new Response(Bun.file(\"/tmp/source\" + new URL(r.url).pathname)), error: () => new Response(null, { status: 404 }) })"'
  wait_until 20 docker exec "${container}-source" curl --fail --silent http://127.0.0.1:8000/.git/HEAD
}

source_is_cloned() {
  local address
  address="$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "${container}-source")"
  run_apart --name "${container}" --env AGENTPOD_SOURCE_URL="http://${address}:8000/.git" "${IMAGE}"
  wait_until "${HEALTHY_SECONDS_MAX}" is_healthy || { docker logs "${container}"; return 1; }
  workspace_is "from the source"$'\n'".git file.txt" 'cat file.txt && git status --porcelain &&'
}

# As a kill in the middle of the move leaves the workspace: a whole clone, one part of it moved.
unfinished_source_is_finished() {
  run_apart --name "${container}" --entrypoint bash "${IMAGE}" -c '
    mkdir -p ~/workspace/.agentpod-clone/source && cd ~/workspace && touch moved .agentpod-clone/source/left .agentpod-clone/complete &&
    exec tini -g -- agentpod-entrypoint'
  wait_until "${HEALTHY_SECONDS_MAX}" is_healthy || { docker logs "${container}"; return 1; }
  workspace_is "left moved"
}

# workspace_is EXPECTED [COMMANDS BEFORE]: the names in the workspace but those of the addons' data
workspace_is() {
  local actual
  actual="$(inside bash -c "${2:-} ls -A -I .agentpod | LC_ALL=C sort | paste -sd ' '")"
  [[ ${actual} == "$1" ]] || { printf 'is: %s\n' "${actual}"; docker logs "${container}"; return 1; }
}

bad_source_is_survived() {
  run_apart --name "${container}" --env AGENTPOD_SOURCE_URL="$1" "${IMAGE}"
  wait_until "${HEALTHY_SECONDS_MAX}" is_healthy && log_has '"source":"failed"' && workspace_is '' &&
    ! log_has hidden-secret
}

# shellcheck disable=SC2016 # expanded inside the container
generated_token_works() {
  inside bash -c 'curl --fail --silent --header "Authorization: Bearer $(cat /run/agentpod/gateway-token)" http://127.0.0.1:4097/info' &&
    [[ $(inside stat --format %a /run/agentpod/gateway-token) == 600 ]]
}

gateway_end_ends_container() {
  run_apart --name "${container}" --env AGENTPOD_GATEWAY_PORT=wrong "${IMAGE}"
  [[ $(timeout "${HEALTHY_SECONDS_MAX}" docker wait "${container}") == 1 ]] && log_has AGENTPOD_GATEWAY_PORT
}
