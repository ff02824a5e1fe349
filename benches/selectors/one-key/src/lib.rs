//! One key determines the decision.

use spanmux_guest::{Decision, RuntimeContext, choose};

spanmux_guest::export!(select);

fn select(context: &dyn RuntimeContext, _: &[String]) -> Decision {
    match context.text("environment").as_deref() {
        Some("production") => choose("langfuse"),
        Some("staging") => choose("datadog"),
        _ => choose("console"),
    }
}
