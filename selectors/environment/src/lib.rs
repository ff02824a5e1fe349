//! Selects a tracer by deployment environment.

use spanmux_guest::{Decision, RuntimeContext, abstain, choose};

spanmux_guest::export!(select);

fn select(context: &dyn RuntimeContext, _: &[String]) -> Decision {
    match context.text("environment").as_deref() {
        Some("production") => choose("langfuse"),
        Some("staging") => choose("datadog"),
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
            ("staging", choose("datadog")),
            ("development", choose("console")),
            ("Production", abstain()),
            ("qa", abstain()),
        ] {
            let context = MockContext::new().with("environment", environment);
            let available = tracers(["langfuse", "datadog", "console"]);
            assert_eq!(select(&context, &available), expected, "{environment}");
        }
    }

    #[test]
    fn unknown_environment_abstains() {
        assert_eq!(
            select(&MockContext::new(), &tracers(["langfuse"])),
            abstain()
        );
        let context = MockContext::from_json(r#"{"environment": ["production"]}"#);
        assert_eq!(select(&context, &tracers(["langfuse"])), abstain());
    }
}
