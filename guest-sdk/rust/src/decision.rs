//! Decisions of a selector.

use crate::RuntimeContext;

/// The decision of a selector.
///
/// `Ok(Some(name))` chooses a tracer, `Ok(None)` abstains, and `Err(reason)` fails.
pub type Decision = Result<Option<String>, String>;

/// The type of the function passed to [`export!`](crate::export).
///
/// Its arguments are the runtime context of one run and the names of the available
/// tracers, in registration order.
pub type Select = fn(&dyn RuntimeContext, &[String]) -> Decision;

/// Chooses the tracer with this name for the trace.
///
/// The name is compared byte by byte with the names of the available tracers. If no
/// tracer has this name, the trace goes to the fallback tracer and the name is
/// recorded. Use this function if the trace must not go to another selector's choice;
/// use [`choose_if_available`] if the next selector may decide instead.
pub fn choose(name: impl Into<String>) -> Decision {
    Ok(Some(name.into()))
}

/// Chooses the tracer with this name if it is in `available_tracers`; abstains otherwise.
///
/// ```
/// use spanmux_guest::{abstain, choose, choose_if_available};
///
/// let available_tracers = ["console".to_owned()];
/// assert_eq!(choose_if_available("console", &available_tracers), choose("console"));
/// assert_eq!(choose_if_available("candidate", &available_tracers), abstain());
/// ```
pub fn choose_if_available(name: &str, available_tracers: &[String]) -> Decision {
    if available_tracers.iter().any(|available| available == name) {
        choose(name)
    } else {
        abstain()
    }
}

/// Leaves the decision to the next selector.
///
/// If all selectors abstain, the trace goes to the default tracer.
pub fn abstain() -> Decision {
    Ok(None)
}

/// Fails the decision with a human-readable reason.
///
/// The trace goes to the fallback tracer and no other selector runs. The host records
/// the first 1,024 bytes of the message.
pub fn fail(message: impl Into<String>) -> Decision {
    Err(message.into())
}
