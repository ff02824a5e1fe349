//! Three keys with few values, and then the user, for whom each decision is cached separately.

use spanmux_guest::{Decision, RuntimeContext, choose};

spanmux_guest::export!(select);

fn select(context: &dyn RuntimeContext, _: &[String]) -> Decision {
    if context.text("environment").as_deref() == Some("development")
        || context.text("region").as_deref() == Some("nowhere")
        || context.text("tier").as_deref() == Some("internal")
    {
        return choose("console");
    }
    let user = context.require_text("user.id")?;
    match user.as_bytes().last() {
        Some(b'0'..=b'7') => choose("langfuse"),
        _ => choose("datadog"),
    }
}
