//! The environment of the process, which the library reads here and nowhere else:
//! for the names that a configuration writes as `${NAME}`.

/// The value of a variable; none if it is not set, or is not text.
pub(super) fn process(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the only place that reads the environment"
    )]
    let value = std::env::var(name);
    value.ok()
}
