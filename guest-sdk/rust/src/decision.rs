//! What a selector answers.

use crate::RuntimeContext;

/// The answer of a selector: a tracer's name, none to abstain, or a reason why
/// no decision could be made.
pub type Decision = Result<Option<String>, String>;

/// The function that [`export!`](crate::export) takes: the runtime context of one
/// run, and the names of the available tracers in the order of their
/// registration.
pub type Select = fn(&dyn RuntimeContext, &[String]) -> Decision;

/// Chooses the tracer of this name for the trace.
///
/// The name must be that of an available tracer, compared byte by byte. Any other
/// name sends the trace to the fallback tracer, and the name is recorded: right
/// where the trace must not go anywhere else. Where the next selector may decide
/// just as well, use [`choose_if_available`].
pub fn choose(name: impl Into<String>) -> Decision {
    Ok(Some(name.into()))
}

/// Chooses the tracer of this name if it is among `available_tracers`, and
/// abstains otherwise.
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

/// Leaves the decision to the next selector. If all abstain, the trace goes to
/// the default tracer.
pub fn abstain() -> Decision {
    Ok(None)
}

/// Reports that no decision can be made, with a reason that a person can read.
///
/// The trace goes to the fallback tracer and no other selector is asked. The host
/// records the first 1,024 bytes of the message.
pub fn fail(message: impl Into<String>) -> Decision {
    Err(message.into())
}
