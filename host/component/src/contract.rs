//! The names of the contract, and the versions that this host supports.

/// The interface that a selector exports.
pub(super) const SELECTION: &str = "spanmux:selector/selection";
/// The version of the contract that this host implements.
pub(super) const VERSION: &str = "0.1.0";
/// The interface that a selector imports.
pub(super) const RUNTIME_CONTEXT: &str = "spanmux:selector/runtime-context";

/// Returns `true` if an import is the runtime context, in any version.
pub(super) fn is_runtime_context(import: &str) -> bool {
    unversioned(import) == RUNTIME_CONTEXT
}

/// Returns a name without its version.
pub(super) fn unversioned(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| name)
}

/// Returns the version after the `@` of a name.
pub(super) fn version(name: &str) -> Option<&str> {
    name.split_once('@').map(|(_, version)| version)
}

/// Returns `true` if a guest of this version runs here: 0.1 with any patch number and without a
/// pre-release tag. A function of a newer patch is missing only if the guest uses it.
pub(super) fn same_line(found: &str) -> bool {
    let line = VERSION.rsplit_once('.').map_or(VERSION, |(line, _)| line);
    found
        .strip_prefix(line)
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}
