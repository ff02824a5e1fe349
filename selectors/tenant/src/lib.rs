//! Sends some tenants to dedicated tracers and unknown tenants to quarantine.

use spanmux_guest::{Decision, RuntimeContext, abstain, choose, fail};

spanmux_guest::export!(select);

fn select(context: &dyn RuntimeContext, _: &[String]) -> Decision {
    if !context.has("tenant") {
        return abstain();
    }
    match context.require_text("tenant")?.as_str() {
        // Choose a dedicated tracer even if it is not available. The trace then
        // goes to the fallback tracer, which records the name, and not to the choice
        // of the next selector.
        "acme" => choose("tenant-acme"),
        "umbrella" => choose("tenant-umbrella"),
        // Known tenants without a dedicated tracer.
        "globex" | "initech" | "hooli" => abstain(),
        "" => fail("`tenant` is empty"),
        // There is no agreement on where traces of an unknown tenant may go.
        _ => choose("quarantine"),
    }
}

#[cfg(test)]
mod tests {
    use spanmux_guest::mock::{MockContext, tracers};

    use super::*;

    fn decide(context: &MockContext) -> Decision {
        select(context, &tracers(["langfuse", "tenant-acme", "quarantine"]))
    }

    #[test]
    fn tenant_selects_its_tracer() {
        for (tenant, expected) in [
            ("acme", choose("tenant-acme")),
            ("umbrella", choose("tenant-umbrella")),
            ("globex", abstain()),
            ("initech", abstain()),
            ("hooli", abstain()),
            ("Acme", choose("quarantine")),
            ("stranger", choose("quarantine")),
            ("", fail("`tenant` is empty")),
        ] {
            let context = MockContext::new().with("tenant", tenant);
            assert_eq!(decide(&context), expected, "{tenant:?}");
        }
    }

    #[test]
    fn abstains_without_tenant() {
        assert_eq!(decide(&MockContext::new()), abstain());
    }

    #[test]
    fn tenant_that_is_not_text_fails() {
        let context = MockContext::from_json(r#"{"tenant": 7}"#);
        assert_eq!(decide(&context), fail("`tenant` is an integer, not text"));
        let context = MockContext::from_json(r#"{"tenant": null}"#);
        assert_eq!(decide(&context), fail("`tenant` is null, not text"));
    }
}
