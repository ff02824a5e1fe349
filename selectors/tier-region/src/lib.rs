//! Selects a tracer by user tier and permitted region.

use spanmux_guest::{Decision, RuntimeContext, abstain, choose, choose_if_available};

spanmux_guest::export!(select);

fn select(context: &dyn RuntimeContext, available_tracers: &[String]) -> Decision {
    match context.text("user.tier").as_deref() {
        // Read the region only when it matters. If the region of an enterprise
        // customer is unknown, fail instead of assuming a region outside Europe.
        Some("enterprise") => match context.require_text("region")?.as_str() {
            // Choose it even if it is not available: these traces must stay in Europe.
            region if region.starts_with("eu") => choose("langfuse-eu"),
            _ => choose("langfuse"),
        },
        // Cheaper storage, if available.
        Some("free") => choose_if_available("datadog", available_tracers),
        _ => abstain(),
    }
}

#[cfg(test)]
mod tests {
    use spanmux_guest::fail;
    use spanmux_guest::mock::{MockContext, tracers};

    use super::*;

    fn decide(context: &str) -> Decision {
        let available = tracers(["langfuse", "langfuse-eu", "datadog"]);
        select(&MockContext::from_json(context), &available)
    }

    #[test]
    fn tier_and_region_select_the_tracer() {
        for (context, expected) in [
            (
                r#"{"user": {"tier": "enterprise"}, "region": "eu"}"#,
                choose("langfuse-eu"),
            ),
            (
                r#"{"user": {"tier": "enterprise"}, "region": "eu-west-1"}"#,
                choose("langfuse-eu"),
            ),
            (
                r#"{"user": {"tier": "enterprise"}, "region": "us"}"#,
                choose("langfuse"),
            ),
            (
                r#"{"user": {"tier": "free"}, "region": "eu"}"#,
                choose("datadog"),
            ),
            (r#"{"user": {"tier": "free"}}"#, choose("datadog")),
            (r#"{"user": {"tier": "pro"}, "region": "eu"}"#, abstain()),
            (r#"{"user": {"id": 7}, "region": "eu"}"#, abstain()),
            ("{}", abstain()),
        ] {
            assert_eq!(decide(context), expected, "{context}");
        }
    }

    #[test]
    fn enterprise_without_region_fails() {
        assert_eq!(
            decide(r#"{"user": {"tier": "enterprise"}}"#),
            fail("`region` is missing")
        );
    }

    #[test]
    fn european_tracer_is_chosen_even_if_unavailable() {
        let context = MockContext::from_json(r#"{"user.tier": "enterprise", "region": "eu"}"#);
        assert_eq!(
            select(&context, &tracers(["langfuse"])),
            choose("langfuse-eu")
        );
    }

    #[test]
    fn free_tier_abstains_without_cheaper_storage() {
        let context = MockContext::from_json(r#"{"user": {"tier": "free"}}"#);
        assert_eq!(select(&context, &tracers(["langfuse"])), abstain());
    }
}
