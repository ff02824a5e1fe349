//! One decision in one line, and whether it is the same however it is come by.

use spanmux::{
    Choice, ComponentSelector, Decision, Fallback, Mode, Origin, Selector as _, SelectorHost,
    TracerNames,
};

use super::Case;

/// A component under test: run for each decision, learned, and kept.
pub struct Subject {
    /// The name of its file: its language.
    pub name: String,
    fresh: ComponentSelector,
    cached: ComponentSelector,
    kept: ComponentSelector,
}

impl Subject {
    /// A component that must load.
    ///
    /// # Panics
    /// If it does not.
    pub fn load(host: &SelectorHost, name: &str, bytes: &[u8]) -> Self {
        let fresh = crate::load(host, name, bytes);
        Self {
            name: name.to_owned(),
            cached: fresh.with_mode(Mode::Cached),
            kept: fresh.with_mode(Mode::Stateful),
            fresh,
        }
    }

    /// As it runs for each decision.
    pub fn fresh(&self) -> &ComponentSelector {
        &self.fresh
    }

    /// What it decides in a fresh sandbox, and how that differs from what it decides
    /// the second time, in a sandbox that is kept, or by what was learned.
    ///
    /// # Errors
    /// If one of them is another.
    pub fn decide(&self, case: &Case) -> Result<String, String> {
        let first = outcome(&self.fresh, case).0;
        for (how, selector) in [
            ("the second time", &self.fresh),
            ("in a sandbox that is kept", &self.kept),
            ("to be cached", &self.cached),
            ("as it was cached", &self.cached),
        ] {
            let (outcome, decision) = outcome(selector, case);
            // What its own state may change is not compared where that is kept.
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

/// What a selector decides, in the words of the table.
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
