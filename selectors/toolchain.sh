# Finds a Rust compiler for WebAssembly. Source this file. It sets `route`, `rustc`, the
# environment `settings` and the additional arguments `cargo_args` of `spanmux build`.
#
# Uses rustup and its standard library for the target. If rustup is missing or cannot
# download the target, uses Debian's packages, which contain the sources of the standard
# library, and builds it from them.

target="wasm32-unknown-unknown"
packages=(cargo-web rustc-web lld-19 rust-web-src)

rustup_has_target() {
  command -v rustup >/dev/null || return 1
  rustup target list --installed | grep -qx "$target" || rustup target add "$target"
}

debian_has_packages() {
  local missing=()
  for package in "${packages[@]}"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >&2
}

settings=()
cargo_args=()
if rustup_has_target; then
  route="rustup"
  rustc="rustc"
elif command -v dpkg >/dev/null && debian_has_packages; then
  route="Debian's packages"
  rustc="/usr/bin/rustc"
  settings=(
    CARGO=/usr/bin/cargo
    RUSTC=/usr/bin/rustc
    RUSTC_BOOTSTRAP=1
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=/usr/bin/wasm-ld-19
  )
  cargo_args=(-- "-Zbuild-std=std,panic_abort")
else
  echo "no Rust compiler for $target;" \
    "run \`rustup target add $target\` or install ${packages[*]}" >&2
  exit 1
fi
