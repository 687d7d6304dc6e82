# shellcheck shell=bash
# Sourced by test-container.sh; see scripts/lib/image-parts.sh.

# A key of Go's own tests, in every copy of its source.
keys_go() { printf '%s\n' '/*/src/crypto/x509/platform_root_key.pem'; }

# shellcheck disable=SC2016 # expanded inside the container
checks_go() {
  versions << EOF
go      | go version     | go$(go_version)
gopls   | gopls version  | v[0-9]+\.[0-9]+
delve   | dlv version    | Version: 1\.[0-9]+
gofmt   | go fmt -n fmt  | gofmt
EOF
  check "a Go program is built, vetted, tested and run without a network" without_network '
    go mod init example.test/app &&
    printf "package main\n\nimport (\n\t\"fmt\"\n\t\"net/http\"\n)\n\nfunc answer() int { return 6 * 7 }\n\nfunc main() { fmt.Println(answer(), http.StatusOK) }\n" > main.go &&
    printf "package main\n\nimport \"testing\"\n\nfunc TestAnswer(t *testing.T) {\n\tif answer() != 42 {\n\t\tt.Fatal(answer())\n\t}\n}\n" > main_test.go &&
    go build -o app . && [ "$(./app)" = "42 200" ] && go vet ./... && go test ./... && [ -z "$(gofmt -l .)" ]'
  check "Go and C work together" without_network '
    go mod init example.test/c &&
    printf "package main\n\n// static int answer(void) { return 42; }\nimport \"C\"\nimport \"fmt\"\n\nfunc main() { fmt.Println(C.answer()) }\n" > main.go &&
    [ "$(CGO_ENABLED=1 go run .)" = 42 ]'
  check "gopls finds a mistake" without_network '
    go mod init example.test/l && printf "package main\n\nfunc main() { undefined() }\n" > main.go &&
    gopls check main.go | grep "undefined: undefined"'
  check "delve runs a program up to a breakpoint" without_network '
    go mod init example.test/d && printf "package main\n\nfunc main() {\n\tprintln(42)\n}\n" > main.go &&
    printf "break main.go:4\ncontinue\nlocals\nexit\n" > commands && dlv debug --allow-non-terminal-interactive=true --init commands . < /dev/null | grep "main.main() ./main.go:4"'
  check "go takes no other toolchain and installs for the developer" output_matches \
    'echo "$(go env GOTOOLCHAIN) $(go env GOBIN) $(go env GOMODCACHE)"' '^local /home/developer/.local/bin /home/developer/go/pkg/mod$'
}

go_version() {
  if [[ ${GO_SOURCE:-debian} == official ]]; then echo "${GO_OFFICIAL%% *}"; else echo '1\.24\.'; fi
}
