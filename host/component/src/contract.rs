//! The contract's names, and which versions of it run here.

/// The interface that a selector exports.
pub(super) const SELECTION: &str = "spanmux:selector/selection";
/// The version of the contract that this host speaks.
pub(super) const VERSION: &str = "0.1.0";
/// The interface that a selector asks.
pub(super) const RUNTIME_CONTEXT: &str = "spanmux:selector/runtime-context";

/// Whether an import is the runtime context, of whatever version.
pub(super) fn is_runtime_context(import: &str) -> bool {
    unversioned(import) == RUNTIME_CONTEXT
}

/// A name without its version.
pub(super) fn unversioned(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| name)
}

/// What stands behind the `@` of a name.
pub(super) fn version(name: &str) -> Option<&str> {
    name.split_once('@').map(|(_, version)| version)
}

/// Whether a guest of this version runs here: 0.1 with any patch and no
/// pre-release tag. What a newer patch adds is missed only if it is used.
pub(super) fn same_line(found: &str) -> bool {
    let line = VERSION.rsplit_once('.').map_or(VERSION, |(line, _)| line);
    found
        .strip_prefix(line)
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}
