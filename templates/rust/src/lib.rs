//! Sends production to Langfuse and development to the console. Abstains otherwise.

use spanmux_guest::{Decision, RuntimeContext, abstain, choose};

spanmux_guest::export!(select);

fn select(context: &dyn RuntimeContext, _tracers: &[String]) -> Decision {
    match context.text("environment").as_deref() {
        Some("production") => choose("langfuse"),
        Some("development") => choose("console"),
        _ => abstain(),
    }
}

#[cfg(test)]
mod tests {
    use spanmux_guest::mock::{MockContext, tracers};

    use super::*;

    #[test]
    fn environment_selects_its_tracer() {
        for (environment, expected) in [
            ("production", choose("langfuse")),
            ("development", choose("console")),
            ("staging", abstain()),
        ] {
            let context = MockContext::new().with("environment", environment);
            let decision = select(&context, &tracers(["langfuse", "console"]));
            assert_eq!(decision, expected, "{environment}");
        }
    }
}
