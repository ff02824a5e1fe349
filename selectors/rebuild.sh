#!/usr/bin/env bash
# Builds the selectors in this directory from their sources.
#
#   selectors/rebuild.sh           writes selectors/*.wasm
#   selectors/rebuild.sh --check   builds to a temporary folder and compares
#
# Set SPANMUX to the absolute path of an existing `spanmux` binary to skip building it.
set -euo pipefail

# The compiler of the committed files. Another compiler produces different bytes.
pinned="rustc 1.95.0 (59807616e 2026-04-14)"

cd "$(dirname "$0")/.."

case "${1-}" in
  "" | --check) ;;
  *) echo "usage: selectors/rebuild.sh [--check]" >&2; exit 2 ;;
esac

. selectors/toolchain.sh

if [ -z "${SPANMUX-}" ]; then
  cargo build --quiet --package spanmux-cli
  SPANMUX="${CARGO_TARGET_DIR:-target}/debug/spanmux"
fi

build() {
  env "${settings[@]}" "$SPANMUX" build "$@" "${cargo_args[@]}"
}

version=$("$rustc" --version)
echo "route: selectors are built with $route, $version"

# Only folders of Rust selectors; this directory may contain others.
manifests=(selectors/*/Cargo.toml)
if [ "${1-}" != --check ]; then
  build "${manifests[@]%Cargo.toml}"
  exit
fi

built=$(mktemp -d)
trap 'rm -r "$built"' EXIT
differing=()
for manifest in "${manifests[@]}"; do
  name=$(sed -n 's|^output = "\.\./\(.*\)"$|\1|p' "$manifest")
  build "${manifest%Cargo.toml}" --output "$built/$name"
  cmp --silent "$built/$name" "selectors/$name" || differing+=("selectors/$name")
done

if [ "$route" != rustup ] || [ "$version" != "$pinned" ]; then
  echo "route: the bytes are not compared, because the committed files were built by $pinned;" \
    "running the selector tests instead"
  SPANMUX_SELECTORS="$built" cargo test --quiet --package spanmux-tests --test selectors
elif [ ${#differing[@]} -gt 0 ]; then
  echo "selectors: these files do not match their sources: ${differing[*]}; run selectors/rebuild.sh" >&2
  exit 1
else
  echo "selectors: all ${#manifests[@]} files match their sources"
fi
