//! Reads one key and has no say: what stands before the selector that has.

use spanmux_guest::{Decision, RuntimeContext, abstain, choose};

spanmux_guest::export!(select);

fn select(context: &dyn RuntimeContext, _: &[String]) -> Decision {
    match context.text("tenant").as_deref() {
        Some("nobody") => choose("console"),
        _ => abstain(),
    }
}
