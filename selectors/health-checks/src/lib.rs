//! Discards the traces of health checks.

use spanmux_guest::{Decision, RuntimeContext, abstain, choose_if_available};

spanmux_guest::export!(select);

/// Names of root spans that only check the availability of the service.
const HEALTH_CHECKS: [&str; 4] = ["GET /healthz", "GET /livez", "GET /readyz", "health"];

fn select(context: &dyn RuntimeContext, available_tracers: &[String]) -> Decision {
    match context.text("span.name") {
        // Without a `discard` tracer, a health check is treated like any other trace.
        Some(name) if HEALTH_CHECKS.contains(&name.as_str()) => {
            choose_if_available("discard", available_tracers)
        }
        _ => abstain(),
    }
}

#[cfg(test)]
mod tests {
    use spanmux_guest::mock::{MockContext, tracers};
    use spanmux_guest::{abstain, choose};

    use super::*;

    #[test]
    fn health_check_selects_discard() {
        for name in HEALTH_CHECKS {
            let context = MockContext::new().with("span.name", name);
            let available = tracers(["console", "discard"]);
            assert_eq!(select(&context, &available), choose("discard"), "{name}");
        }
    }

    #[test]
    fn other_spans_abstain() {
        for name in ["POST /chat", "GET /healthz/history", "get /healthz", ""] {
            let context = MockContext::new().with("span.name", name);
            let available = tracers(["console", "discard"]);
            assert_eq!(select(&context, &available), abstain(), "{name}");
        }
        assert_eq!(
            select(&MockContext::new(), &tracers(["discard"])),
            abstain()
        );
    }

    #[test]
    fn health_check_abstains_without_discard_tracer() {
        let context = MockContext::new().with("span.name", "health");
        assert_eq!(select(&context, &tracers(["console"])), abstain());
    }
}
