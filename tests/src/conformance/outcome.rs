//! A decision in one line, and the check that all modes agree on it.

use spanmux::{
    Choice, ComponentSelector, Decision, Fallback, Mode, Origin, Selector as _, SelectorHost,
    TracerNames,
};

use super::Case;

/// A component under test: in all modes.
pub struct Subject {
    /// The name of its file, which is its language.
    pub name: String,
    fresh: ComponentSelector,
    cached: ComponentSelector,
    kept: ComponentSelector,
}

impl Subject {
    /// Loads a component.
    ///
    /// # Panics
    /// If it does not load.
    pub fn load(host: &SelectorHost, name: &str, bytes: &[u8]) -> Self {
        let fresh = crate::load(host, name, bytes);
        Self {
            name: name.to_owned(),
            cached: fresh.with_mode(Mode::Cached),
            kept: fresh.with_mode(Mode::Stateful),
            fresh,
        }
    }

    /// Returns the selector that runs for each decision.
    pub fn fresh(&self) -> &ComponentSelector {
        &self.fresh
    }

    /// Returns the decision of a fresh instance, after comparing it with a second run, a stateful
    /// instance and the cache.
    ///
    /// # Errors
    /// Returns an error if any of them differs.
    pub fn decide(&self, case: &Case) -> Result<String, String> {
        let first = outcome(&self.fresh, case).0;
        for (how, selector) in [
            ("the second time", &self.fresh),
            ("in a sandbox that is kept", &self.kept),
            ("to be cached", &self.cached),
            ("as it was cached", &self.cached),
        ] {
            let (outcome, decision) = outcome(selector, case);
            // State of a stateful instance may change the result, so it is not compared there.
            let stateful = how.contains("kept") && case.expect == super::cases::THE_SAME;
            if outcome != first && !stateful {
                return Err(format!("{outcome:?} {how}, {first:?} the first time"));
            }
            let deliberate = first == "abstained" || first.starts_with("chose ");
            if how == "as it was cached" && deliberate && decision.origin != Origin::Cached {
                return Err(format!("{outcome:?} is not cached"));
            }
        }
        Ok(first)
    }
}

/// Returns the decision of a selector in the notation of the table.
pub fn outcome(selector: &ComponentSelector, case: &Case) -> (String, Decision) {
    let tracers = TracerNames::new(case.tracers.iter().map(String::as_str));
    let decision = selector.decision(&case.runtime_context().view(), &tracers);
    let chosen = |name: &&String| tracers.choose(name) == decision.choice;
    let line = match &decision.choice {
        Choice::Tracer(_) => {
            let name = case.tracers.iter().find(chosen);
            format!("chose {}", name.expect("a tracer that there is"))
        }
        Choice::Abstain => "abstained".to_owned(),
        Choice::Fallback(Fallback::Failed(reason)) => format!("failed: {reason}"),
        Choice::Fallback(Fallback::UnknownTracer(name)) => format!("unknown: {name}"),
        Choice::Fallback(Fallback::Trapped(_)) => "trapped".to_owned(),
        Choice::Fallback(Fallback::OutOfBudget(of)) => format!("ran out of {of:?}").to_lowercase(),
        Choice::Fallback(other) => format!("{other:?}"),
    };
    (line, decision)
}
