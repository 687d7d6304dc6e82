# shellcheck shell=bash
# What holds for every image: the gateway, OpenCode, the base's tools, and who everything runs as.
# Sourced by test-container.sh; see scripts/lib/image-parts.sh.

# shellcheck source=source-checks.sh
source "${DOCKER_ROOT}/base/source-checks.sh"

ports_base() { printf '%s\n' 4096 4097; }

# PORT and HOST are what some platforms set; nothing of the sandbox may take them for its own.
environment_base() {
  printf '%s\n' "AGENTPOD_GATEWAY_TOKEN=${TOKEN}" AGENTPOD_PROJECT_ID=test-project PORT=9 HOST=192.0.2.1
}

tmpfs_base() { printf '%s\n' /run/agentpod /home/developer; }

# Debian's own; without capabilities and with no-new-privileges they give nothing.
setuid_base() {
  printf '%s\n' /usr/bin/{chage,chfn,chsh,expiry,gpasswd,mount,newgrp,passwd,ssh-agent,su,umount} \
    /usr/lib/openssh/ssh-keysign /usr/sbin/unix_chkpwd
}

# GnuTLS tests itself with keys that everybody knows.
keys_base() { printf '%s\n' '/usr/lib/*/libgnutls.so.*'; }

serves_base() {
  status_is 200 4097 /health --max-time 3 && status_is 200 4096 /config --max-time 10 --user "opencode:${TOKEN}"
}

leave_base() { inside touch kept /home/developer/.claude/kept /home/developer/.local/share/opencode/kept; }
find_base() {
  check "the data is kept" inside test -e kept
  check "what agents keep for themselves is kept" inside test -e /home/developer/.claude/kept \
    -a -e /home/developer/.local/share/opencode/kept
}

# shellcheck disable=SC2016 # expanded inside the container
checks_base() {
  check_gateway
  check "what the sandbox keeps for itself is hidden from git" inside sh -c \
    'cd "$(mktemp -d)" && git init -q . && mkdir .agentpod && cp /home/developer/workspace/.agentpod/.gitignore .agentpod && touch .agentpod/key && [ -z "$(git status --porcelain)" ]'
  check_tools
  check_users
}

check_gateway() {
  check "the gateway refuses a request without token" status_is 401 4097 /info
  check "the gateway refuses a wrong token" status_is 401 4097 /info --header "Authorization: Bearer ${TOKEN}x"
  check "the gateway answers with the token" status_is 200 4097 /info --header "Authorization: Bearer ${TOKEN}"
  check "the gateway knows its project" body_has '"projectId":"test-project"'
  check "the gateway knows its image" gateway_knows_image
  check "the gateway is ready" status_is 200 4097 /readyz
  check "the gateway says what its agents do" status_is 200 4097 /v1/activity --header "Authorization: Bearer ${TOKEN}"
  check "nothing runs in it yet" body_has '"idle":true'
  check "the gateway lists the agents" status_is 200 4097 /v1/agents --header "Authorization: Bearer ${TOKEN}"
  check "OpenCode is installed and told its version" body_has '"id":"opencode","name":"OpenCode","installed":true,"version":"1.'
  check "OpenCode's server refuses without the token" status_is 401 4096 /config
}

# An image derived from ours goes on by the name of ours.
gateway_knows_image() {
  local name
  name="$(docker image inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "${IMAGE}" | sed -n 's/^AGENTPOD_IMAGE=//p')"
  [[ -n ${name} ]] && body_has "\"image\":\"${name}\""
}

# shellcheck disable=SC2016 # expanded inside the container
check_tools() {
  local tool
  for tool in node npm bun bunx opencode git curl jq rg fd rsync make; do
    check "${tool} answers" tool_answers "${tool} --version"
  done
  check "tmux answers" tool_answers 'tmux -V'
  check "Node.js is 24 or later" tool_answers 'node --eval "process.exit(parseInt(process.versions.node) >= 24 ? 0 : 1)"'
  check "locales en_US.UTF-8 and C.UTF-8 are there" tool_answers 'locale -a | grep -qi en_US.utf8 && locale -a | grep -qi C.utf8'
  check "perl and git work together" tool_answers 'cd "$(mktemp -d)" && git init -q . && perl -MPOSIX -MFile::Temp -MGetopt::Long -e 1'
}

# shellcheck disable=SC2016 # expanded inside the container
check_users() {
  check "runs as the developer, uid 1000" tool_answers '[ "$(id -un):$(id -u)" = developer:1000 ]'
  check "no process runs as root" runs_without_root
  check "the workspace is the developer's" tool_answers 'touch ~/workspace/.written && [ -O ~/workspace ] && rm ~/workspace/.written'
  check "no log and no command line tells the token" is_hidden "${TOKEN}"
  check "the token is readable by the developer alone" output_matches 'stat --format "%a %U" /run/agentpod/gateway-token' '^600 developer$'
  check "service users have their fixed ids" output_matches \
    'echo "$(id -u postgres):$(id -g postgres):$(id -u redis):$(id -g redis)"' '^301:301:302:302$'
}

runs_without_root() {
  # The first column of every line but ps's own header.
  ! inside ps -eo user= | grep --invert-match --line-regexp developer
}
