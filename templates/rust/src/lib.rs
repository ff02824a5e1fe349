//! Chooses by the environment that the service runs in.

use spanway_guest::{Decision, RuntimeContext, abstain, choose, fail};

spanway_guest::export!(select);

fn select(context: &dyn RuntimeContext, _available_tracers: &[String]) -> Decision {
    match context.text("environment").as_deref() {
        Some("production") => choose("langfuse"),
        Some("development") => choose("console"),
        Some("") => fail("`environment` is empty"),
        // No say: the next selector is asked.
        _ => abstain(),
    }
}

#[cfg(test)]
mod tests {
    use spanway_guest::mock::{MockContext, tracers};

    use super::*;

    #[test]
    fn production_goes_to_langfuse() {
        let context = MockContext::new().with("environment", "production");
        assert_eq!(select(&context, &tracers(["langfuse"])), choose("langfuse"));
    }
}
