# shellcheck shell=bash
# Sourced by test-container.sh; see scripts/lib/image-parts.sh.

# shellcheck disable=SC2016 # expanded inside the container
checks_js() {
  local tool
  for tool in pnpm yarn tsc tsx eslint prettier vite vitest; do
    version_is "${tool}" "${tool} --version" "$(js_version "${tool}")"
  done
  check "TypeScript is compiled and run" tool_answers 'cd "$(mktemp -d)" && echo "const n: number = 6 * 7; console.log(n)" > a.ts && tsc a.ts && [ "$(node a.js)" = 42 ] && [ "$(tsx a.ts)" = 42 ]'
}

# The version of the package that brings a program, as a regular expression.
js_version() {
  local package=$1
  [[ $1 != tsc ]] || package=typescript
  jq --raw-output --arg name "${package}" '.dependencies[$name] | gsub("\\."; "\\.")' "${DOCKER_ROOT}/flavors/js/package.json"
}
