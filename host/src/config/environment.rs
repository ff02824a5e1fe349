//! The environment of the process, which the library reads here and nowhere else:
//! for the names that a configuration writes as `${NAME}`.

/// The value of a variable; none if it is not set, or is not text.
pub(super) fn process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
