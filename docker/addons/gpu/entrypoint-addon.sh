# shellcheck shell=bash
# Sourced by the sandbox's entrypoint before the services start: the log tells which GPU there is.
if compgen -G '/dev/nvidia[0-9]*' > /dev/null || [[ -e /dev/dxg ]]; then
  log "a GPU is visible" gpu "$(timeout 5 nvidia-smi --query-gpu=name --format=csv,noheader 2> /dev/null | paste --serial --delimiters=, || true)"
else
  log "no GPU is visible; CUDA programs can be compiled, and find none when they run"
fi
