//! Runs code of the application on behalf of a span.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::reentrancy::ReentrancyGuard;

/// Runs code of the application: samplers, id generators, processors, and the names of
/// selectors. Spans that it starts are no-ops, and its panic does not reach the caller.
///
/// `place` names the code in the log. Returns `None` after a panic.
pub(super) fn run<R>(place: &'static str, code: impl FnOnce() -> R) -> Option<R> {
    let _guard = ReentrancyGuard::enter();
    let result = catch_unwind(AssertUnwindSafe(code));
    match result {
        Ok(result) => Some(result),
        Err(panic) => {
            // The payload is a value of the application, whose drop may panic as well.
            let _dropped = catch_unwind(AssertUnwindSafe(|| drop(panic)));
            tracing::error!(place, "code of the application panicked inside of tracing");
            None
        }
    }
}
