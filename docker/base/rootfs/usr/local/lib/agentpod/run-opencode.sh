#!/usr/bin/env bash
# OpenCode's own server, for clients that speak its API; the password is the gateway's token.
set -Eeuo pipefail

/usr/local/lib/agentpod/wait-for-gateway.sh
OPENCODE_SERVER_PASSWORD="$(< "${AGENTPOD_GATEWAY_TOKEN_FILE}")"
export OPENCODE_SERVER_PASSWORD
exec opencode serve --hostname 0.0.0.0 --port 4096
