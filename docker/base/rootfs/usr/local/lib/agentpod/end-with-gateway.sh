#!/usr/bin/env bash
# Supervisor event listener: when the gateway is given up, the container ends, for a sandbox that
# nobody can reach is better restarted or seen to fail.
set -Eeuo pipefail

while printf 'READY\n' && read -r header; do
  [[ ${header} =~ len:([0-9]+) ]]
  IFS= read -r -N "${BASH_REMATCH[1]}" payload
  if [[ ${payload} == processname:gateway\ * && (${header} == *STATE_FATAL* || ${payload} == *expected:1*) ]]; then
    printf 'acp-gateway ended for good; ending the container\n' >&2
    : > /run/agentpod/failed
    kill -TERM "${PPID}"
  fi
  printf 'RESULT 2\nOK'
done
