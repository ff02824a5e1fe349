//! The process environment. The library reads it only here, for the `${NAME}` references
//! in a configuration and, if the file asks for it, for `OTEL_SDK_DISABLED`.

use super::interpolate::Lookup;

/// Returns `true` if the environment disables the SDK.
///
/// # Source
/// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>: only the
/// word "true" in any case disables it.
pub(super) fn is_disabled(look_up: Lookup<'_>) -> bool {
    let value = look_up("OTEL_SDK_DISABLED");
    value.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
}

/// Returns the value of a variable, or `None` if it is unset or not valid Unicode.
pub(super) fn process(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the only place that reads the environment"
    )]
    let value = std::env::var(name);
    value.ok()
}
