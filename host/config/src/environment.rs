//! The process environment. The library reads it only here, for the `${NAME}` references
//! in a configuration.

/// Returns the value of a variable, or `None` if it is unset or not valid Unicode.
pub(super) fn process(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the only place that reads the environment"
    )]
    let value = std::env::var(name);
    value.ok()
}
