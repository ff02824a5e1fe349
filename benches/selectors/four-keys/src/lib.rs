//! A list, a prefix and a fallback: at most four keys determine the decision.

use spanmux_guest::{Decision, RuntimeContext, choose};

spanmux_guest::export!(select);

const TENANTS: [&str; 5] = ["acme", "globex", "initech", "umbrella", "hooli"];

fn select(context: &dyn RuntimeContext, _: &[String]) -> Decision {
    let tenant = context.text("tenant").unwrap_or_default();
    if !TENANTS.contains(&tenant.as_str()) {
        return choose("console");
    }
    if context.text("tier").as_deref() == Some("enterprise") {
        return choose("langfuse");
    }
    if context
        .text("region")
        .is_some_and(|region| region.starts_with("eu-"))
    {
        return choose("datadog");
    }
    match context.text("environment").as_deref() {
        Some("production") => choose("langfuse"),
        _ => choose("console"),
    }
}
