//! Gives some tenants a tracer of their own and keeps strangers apart.

use spanmux_guest::{Decision, RuntimeContext, abstain, choose, fail};

spanmux_guest::export!(select);

fn select(context: &dyn RuntimeContext, _: &[String]) -> Decision {
    if !context.has("tenant") {
        return abstain();
    }
    match context.require_text("tenant")?.as_str() {
        // A tracer that was promised to one tenant is named whether it is
        // available or not: if it is missing, the trace belongs in the fallback,
        // which records the name, and not with whatever the next selector picks.
        "acme" => choose("tenant-acme"),
        "umbrella" => choose("tenant-umbrella"),
        // Tenants without a wish of their own.
        "globex" | "initech" | "hooli" => abstain(),
        "" => fail("`tenant` is empty"),
        // Nobody has agreed where the traces of a stranger may go.
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
    fn each_tenant_goes_where_it_belongs() {
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
    fn without_a_tenant_there_is_nothing_to_say() {
        assert_eq!(decide(&MockContext::new()), abstain());
    }

    #[test]
    fn a_tenant_that_is_no_text_is_a_failed_decision() {
        let context = MockContext::from_json(r#"{"tenant": 7}"#);
        assert_eq!(decide(&context), fail("`tenant` is an integer, not text"));
        let context = MockContext::from_json(r#"{"tenant": null}"#);
        assert_eq!(decide(&context), fail("`tenant` is null, not text"));
    }
}
