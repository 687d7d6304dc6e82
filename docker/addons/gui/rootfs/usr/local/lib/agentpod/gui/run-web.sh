#!/usr/bin/env bash
# The desktop's web server on port 6080, whatever PORT says: that name belongs to the app in the sandbox.
set -Eeuo pipefail

/usr/local/lib/agentpod/wait-for-gateway.sh
desktop=(--socket /run/agentpod/gui/vnc.sock)
if command -v kasmvncserver > /dev/null; then
  desktop=(--kasm http://127.0.0.1:6081 --kasm-user developer --kasm-password-file /run/agentpod/gui/kasm-password)
fi
exec bun /opt/agentpod/gui/server.js --port 6080 --pages /opt/agentpod/gui/pages \
  --password-file /run/agentpod/gui/password "${desktop[@]}"
