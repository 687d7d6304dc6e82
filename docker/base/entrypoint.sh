#!/usr/bin/env bash
# Starts a sandbox: token, source, the addons' preparations, then supervisor with the services.
# Runs as the developer, under tini, which passes signals on to this process group.
set -Eeuo pipefail

RUN_DIR=/run/agentpod
WORKSPACE="${AGENTPOD_WORKSPACE:-/home/developer/workspace}"
TOKEN_FILE="${RUN_DIR}/gateway-token"
CLONE_DIR="${WORKSPACE}/.agentpod-clone"
SOURCE_SECONDS_MAX="${AGENTPOD_SOURCE_TIMEOUT:-300}"

# One JSON line: log MESSAGE [NAME VALUE]...
log() {
  jq --null-input --compact-output '$ARGS.positional as $a
    | {time: (now | todate), service: "sandbox", message: $a[0]}
      + ([range(1; $a | length; 2) | {($a[.]): $a[. + 1]}] | add // {})' --args "$@"
}

# The services read the token from a file: in the environment every program would inherit it.
keep_token() {
  umask 077
  if [[ -n ${AGENTPOD_GATEWAY_TOKEN:-} && -n ${AGENTPOD_GATEWAY_TOKEN_FILE:-} ]]; then
    return # the gateway refuses this and says why
  elif [[ -n ${AGENTPOD_GATEWAY_TOKEN:-} ]]; then
    printf '%s\n' "${AGENTPOD_GATEWAY_TOKEN}" > "${TOKEN_FILE}"
  elif [[ -z ${AGENTPOD_GATEWAY_TOKEN_FILE:-} && ! -s ${TOKEN_FILE} ]]; then
    head --bytes=32 /dev/urandom | base64 --wrap=0 | tr '+/' '-_' | tr --delete '=' > "${TOKEN_FILE}"
  fi
  unset AGENTPOD_GATEWAY_TOKEN
  export AGENTPOD_GATEWAY_TOKEN_FILE="${AGENTPOD_GATEWAY_TOKEN_FILE:-${TOKEN_FILE}}"
  umask 022
}

# The addons' data (.agentpod) is no content: it is there when a first clone has failed.
workspace_is_empty() {
  [[ -z $(find "${WORKSPACE}" -mindepth 1 -maxdepth 1 ! -name lost+found ! -name .agentpod -print -quit) ]]
}

# Clones beside the goal and moves into place, so that a broken clone is never taken for the source.
# A whole clone is marked, and a move that was cut off is finished by the next start.
# Prints what became of it: none, kept, cloned or failed.
fetch_source() {
  if [[ -e ${CLONE_DIR}/complete ]]; then
    move_source
    return
  fi
  rm -rf "${CLONE_DIR}"
  [[ -n ${AGENTPOD_SOURCE_URL:-} ]] || { echo none; return; }
  workspace_is_empty || { echo kept; return; }
  mkdir "${CLONE_DIR}"
  if GIT_ALLOW_PROTOCOL=https:http:ssh:git GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=/bin/true \
    GIT_SSH_COMMAND="ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new" \
    timeout --foreground --kill-after=5 "${SOURCE_SECONDS_MAX}" \
    git clone --quiet -- "${AGENTPOD_SOURCE_URL}" "${CLONE_DIR}/source" \
    2> >(hide_credentials >&2) < /dev/null; then
    : > "${CLONE_DIR}/complete"
    move_source
  else
    rm -rf "${CLONE_DIR}"
    echo failed
  fi
}

# Each entry is renamed, on one file system; what is moved already is no longer there to move.
move_source() {
  if find "${CLONE_DIR}/source" -mindepth 1 -maxdepth 1 -exec mv --target-directory="${WORKSPACE}" -- {} +; then
    rm -rf "${CLONE_DIR}/source"
    rm -rf "${CLONE_DIR}"
    echo cloned
  else
    echo failed
  fi
}

hide_credentials() { sed -E 's#://[^/@ ]*@#://***@#g'; }

# Only the workspace outlives the container, and agents keep conversations and logins in the home folder:
# what each of them calls its own there is on the volume. What an image or a person has put there stays.
keep_agents_state() {
  local kept="${WORKSPACE}/.agentpod/home" path
  # Logins and the addons' data are nothing to be committed with what is worked on.
  mkdir -p "${kept}" && chmod 700 "${kept}" && { [[ -e ${WORKSPACE}/.agentpod/.gitignore ]] || echo '*' > "${WORKSPACE}/.agentpod/.gitignore"; }
  for path in .claude .codex .copilot .gemini .kimi-code .qwen .local/share/{goose,kilo,opencode}; do
    [[ ! -e ${HOME}/${path} && ! -L ${HOME}/${path} ]] || continue
    if ! { mkdir -p "${kept}/${path}" "$(dirname "${HOME}/${path}")" && ln -s "${kept}/${path}" "${HOME}/${path}"; }; then
      log "an agent's state cannot be kept" path "${path}"
    fi
  done
}

# An addon's hook is sourced: what it exports, its service sees; what it unsets, nobody sees.
prepare_addons() {
  local hook
  for hook in /etc/agentpod/entrypoint.d/*.sh; do
    [[ -f ${hook} ]] || continue
    # shellcheck source=/dev/null
    source "${hook}" || log "an addon could not be prepared" hook "${hook}"
  done
}

# Supervisor acts once a second, its first start included, unless something comes in on its socket.
wake_supervisor() {
  while kill -0 "${supervisor}" 2> /dev/null; do
    if [[ -S ${RUN_DIR}/supervisor.sock ]]; then
      curl --silent --output /dev/null --max-time 1 --unix-socket "${RUN_DIR}/supervisor.sock" http://localhost/ || true
      return 0
    fi
    sleep 0.02
  done
}

main() {
  stopping=false
  # tini tells supervisor too, but it ends its services one after the other; this saves seconds.
  trap 'stopping=true; [[ -z ${supervisor:-} ]] || { pkill -TERM -P "${supervisor}" || true; wake_supervisor; }' TERM INT
  rm -f "${RUN_DIR}/failed" "${RUN_DIR}/supervisor.sock"
  keep_token
  local source
  source="$(fetch_source)" || source=failed
  [[ ${stopping} == false ]] || exit 0
  keep_agents_state
  prepare_addons
  log starting image "${AGENTPOD_IMAGE:-}" project "${AGENTPOD_PROJECT_ID:-}" flavor "${AGENTPOD_FLAVOR:-}" \
    addons "${AGENTPOD_ADDONS:-}" workspace "${WORKSPACE}" source "${source}"
  supervisord --configuration /etc/agentpod/supervisord.conf &
  supervisor=$!
  wake_supervisor
  local code=0
  while kill -0 "${supervisor}" 2> /dev/null; do
    code=0
    wait "${supervisor}" || code=$?
  done
  [[ ! -e ${RUN_DIR}/failed ]] || exit 1
  [[ ${stopping} == false ]] || exit 0
  exit "${code}"
}

main "$@"
