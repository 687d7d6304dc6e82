# shellcheck shell=bash
# Sourced by test-container.sh; see scripts/lib/image-parts.sh.

# shellcheck disable=SC2016 # expanded inside the container
checks_rust() {
  local version
  version="$(rust_version)"
  versions << EOF
rustc         | rustc --version         | ^rustc ${version}
cargo         | cargo --version         | ^cargo ${version}
rustfmt       | rustfmt --version       | ^rustfmt 1\.
clippy        | cargo clippy --version  | ^clippy 0\.1\.
rust-analyzer | rust-analyzer --version | ^rust-analyzer ${version}
EOF
  check "a crate is built, linted, tested, formatted and run without a network" without_network '
    cargo init --quiet --vcs none --name app . &&
    printf "fn answer() -> i32 {\n    6 * 7\n}\n\nfn main() {\n    println!(\"{}\", answer());\n}\n\n#[test]\nfn answers() {\n    assert_eq!(answer(), 42);\n}\n" > src/main.rs &&
    cargo build --offline --quiet && [ "$(cargo run --offline --quiet)" = 42 ] && cargo test --offline --quiet &&
    cargo clippy --offline --quiet -- --deny warnings && cargo fmt --check'
  check "an optimised crate is built and installed for the developer" without_network '
    cargo init --quiet --vcs none --name installed-app . && printf "[profile.release]\nlto = true\n" >> Cargo.toml &&
    cargo install --offline --quiet --path . && [ "$(command -v installed-app)" = ~/.local/bin/installed-app ] &&
    installed-app && cargo uninstall --quiet installed-app'
  check "clippy finds a mistake" without_network '
    cargo init --quiet --vcs none --name app . && printf "fn main() {\n    let x = 1;\n    println!(\"{}\", x == x);\n}\n" > src/main.rs &&
    ! cargo clippy --offline --quiet 2> told && grep eq_op told'
  check "rust-analyzer takes the standard library's source" without_network '
    cargo init --quiet --vcs none --name app . &&
    CARGO_NET_OFFLINE=true RA_LOG=project_model=info rust-analyzer analysis-stats --skip-inference . 2>&1 |
    grep --text "Using sysroot .*src_root=Some(AbsPath(\"$(rustc --print sysroot)/lib/rustlib/src/rust/library\"))" &&
    [ -f "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std/src/lib.rs" ]'
}

rust_version() {
  if [[ ${RUST_SOURCE:-debian} == official ]]; then echo "${RUST_OFFICIAL%% *}"; else echo '1\.85\.'; fi
}
