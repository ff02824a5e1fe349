//! The policy of the suite in Rust. `../mutations.tsv` changes one literal at a time.

use spanmux_guest::{Decision, RuntimeContext, abstain, choose, fail};

spanmux_guest::export!(select);

fn select(context: &dyn RuntimeContext, _tracers: &[String]) -> Decision {
    if context.text("span.name").as_deref() == Some("GET /healthz") {
        return choose("discard");
    }
    match context.text("tenant").as_deref() {
        Some("") => return fail("`tenant` is empty"),
        Some("acme") => return choose("tenant-acme"),
        _ => {}
    }
    if context.text("user.tier").as_deref() == Some("enterprise") {
        return match context.text("region").as_deref() {
            Some("eu-west-1") => choose("langfuse-eu"),
            _ => choose("langfuse"),
        };
    }
    if context.integer("tokens").is_some_and(|tokens| tokens > 1000) {
        return choose("quarantine");
    }
    if context.has("debug") {
        return choose("console");
    }
    if context.bucket("user.id", "rollout-7", 100).is_some_and(|share| share < 15) {
        return choose("candidate");
    }
    match context.text("environment").as_deref() {
        Some("production") => choose("langfuse"),
        _ => abstain(),
    }
}
