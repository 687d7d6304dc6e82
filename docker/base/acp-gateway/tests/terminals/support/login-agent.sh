#!/bin/sh
# An agent that logs in by a terminal: with --login it asks a person, otherwise it says what it can.
if [ "$1" != --login ]; then
  read -r _
  # The arguments are to arrive as they are, whatever a shell would make of them.
  # shellcheck disable=SC2016
  echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1,"authMethods":[
    {"id":"browser","name":"Browser"},
    {"id":"login","type":"terminal","name":"Log in","args":["--login","a b; exit 9 $(exit 9)"],"env":{"LOGIN_MODE":"person"}}
  ]}}' | tr -d '\n'
  echo
  read -r _
  exit 0
fi
test -t 0 || exit 3
printf 'args:%s mode:%s token:%s\nname? ' "$2" "$LOGIN_MODE" "$AGENTPOD_GATEWAY_TOKEN"
read -r name
echo "welcome $name"
test "$name" = ada
