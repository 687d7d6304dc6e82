#!/usr/bin/env bash
# code-server on port 8080, whatever PORT says: that name belongs to the app in the sandbox.
# The password reaches this one process; code-server takes it out of its environment at once.
set -Eeuo pipefail

/usr/local/lib/agentpod/wait-for-gateway.sh
PASSWORD="$(< /run/agentpod/code-server-password)"
export PASSWORD
exec code-server --host 0.0.0.0 --port 8080 --auth password --disable-telemetry --disable-update-check \
  --disable-workspace-trust --disable-getting-started-override "${AGENTPOD_WORKSPACE}"
