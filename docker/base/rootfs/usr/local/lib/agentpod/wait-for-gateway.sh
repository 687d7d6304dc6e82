#!/usr/bin/env bash
# Returns when the gateway listens, at the latest after 10 s. Services that need much CPU to start
# call this, so that the gateway has the first second for itself.
for ((tries = 0; tries < 100; tries++)); do
  (: < "/dev/tcp/127.0.0.1/${AGENTPOD_GATEWAY_PORT:-4097}") 2> /dev/null && exit 0
  sleep 0.1
done
