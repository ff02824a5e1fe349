//! The environment of the process. The library reads it only here, for the names that a
//! configuration writes as `${NAME}`.

/// Returns the value of a variable, or `None` if it is not set or is not UTF-8.
pub(super) fn process(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the only place that reads the environment"
    )]
    let value = std::env::var(name);
    value.ok()
}
