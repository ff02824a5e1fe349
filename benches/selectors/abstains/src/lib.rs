//! Reads one key and abstains: comes before the deciding selector.

use spanmux_guest::{Decision, RuntimeContext, abstain, choose};

spanmux_guest::export!(select);

fn select(context: &dyn RuntimeContext, _: &[String]) -> Decision {
    match context.text("tenant").as_deref() {
        Some("nobody") => choose("console"),
        _ => abstain(),
    }
}
