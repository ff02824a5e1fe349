//! Chooses by what a user pays for and where the data may go.

use spanmux_guest::{Decision, RuntimeContext, abstain, choose, choose_if_available};

spanmux_guest::export!(select);

fn select(context: &dyn RuntimeContext, available_tracers: &[String]) -> Decision {
    match context.text("user.tier").as_deref() {
        // The region is asked for only where it matters, and an enterprise
        // customer of whom it is not known must not be guessed to be elsewhere.
        Some("enterprise") => match context.require_text("region")?.as_str() {
            // Named whether it is available or not: these traces stay in Europe.
            region if region.starts_with("eu") => choose("langfuse-eu"),
            _ => choose("langfuse"),
        },
        // Cheaper storage, as long as there is some.
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
    fn tier_and_region_decide_together() {
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
    fn an_enterprise_customer_without_a_region_is_a_failed_decision() {
        assert_eq!(
            decide(r#"{"user": {"tier": "enterprise"}}"#),
            fail("`region` is missing")
        );
    }

    #[test]
    fn what_must_stay_in_europe_is_named_even_if_it_is_missing() {
        let context = MockContext::from_json(r#"{"user.tier": "enterprise", "region": "eu"}"#);
        assert_eq!(
            select(&context, &tracers(["langfuse"])),
            choose("langfuse-eu")
        );
    }

    #[test]
    fn the_free_tier_goes_on_where_there_is_no_cheaper_storage() {
        let context = MockContext::from_json(r#"{"user": {"tier": "free"}}"#);
        assert_eq!(select(&context, &tracers(["langfuse"])), abstain());
    }
}
