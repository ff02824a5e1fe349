//! One key decides.

use spanway_guest::{Decision, RuntimeContext, choose};

spanway_guest::export!(select);

fn select(context: &dyn RuntimeContext, _: &[String]) -> Decision {
    match context.text("environment").as_deref() {
        Some("production") => choose("langfuse"),
        Some("staging") => choose("datadog"),
        _ => choose("console"),
    }
}
