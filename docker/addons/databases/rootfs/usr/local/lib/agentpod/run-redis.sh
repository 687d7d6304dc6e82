#!/usr/bin/env bash
# Redis on the workspace volume.
set -Eeuo pipefail
umask 077

/usr/local/lib/agentpod/wait-for-gateway.sh
[[ -s /run/agentpod/redis.conf ]] || { printf 'redis: does not start: it has no settings; the first lines of the log say why\n' >&2; exit 78; }
# Two servers on one volume would write over each other's files.
exec 9> "${AGENTPOD_WORKSPACE}/.agentpod/databases/redis.lock"
flock --timeout 20 9 || { printf 'redis: another container has this volume; trying again\n' >&2; exit 1; }
exec /usr/bin/redis-server /run/agentpod/redis.conf
