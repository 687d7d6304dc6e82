# shellcheck shell=bash
# Sourced by the sandbox's entrypoint before the services start.
/usr/local/lib/agentpod/prepare-databases.sh || log "the databases will not start; the line before says why"
unset AGENTPOD_DATABASES_PASSWORD
