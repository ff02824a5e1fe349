#!/usr/bin/env bash
# Builds the live selectors from the sources beside them.
#
#   selectors/rebuild.sh           writes selectors/*.wasm
#   selectors/rebuild.sh --check   builds elsewhere and compares
#
# Set SPANMUX to the full path of a `spanmux` that is built already.
set -euo pipefail

# The compiler that wrote the committed files. Another one gives other bytes.
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

# Only the folders of Rust selectors: others may lie beside them.
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
  echo "route: the bytes are not compared, because $pinned wrote the committed ones;" \
    "what the selectors decide is"
  SPANMUX_SELECTORS="$built" cargo test --quiet --package spanmux-tests --test selectors
elif [ ${#differing[@]} -gt 0 ]; then
  echo "selectors: not what their sources give: ${differing[*]}; run selectors/rebuild.sh" >&2
  exit 1
else
  echo "selectors: all ${#manifests[@]} are what their sources give"
fi
