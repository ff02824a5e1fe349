//! Measures the cost of a decision: its fuel, which is the same on every machine, and its time
//! on this machine.

use std::time::{Duration, Instant};

use std::sync::Arc;

use spanmux::{
    AllowedTracers, Choice, ComponentSelector, Decision, Fallback, Mode, Origin, RuntimeContext,
    Selector, TracerNames,
};

/// Number of uncached decisions for the median. Short enough even for an interpreter.
const FRESH: usize = 25;
/// Number of cached decisions that are timed together, because a single one is shorter than the
/// resolution of the clock.
const LEARNED: u32 = 1_000;

/// One decision and its cost.
pub(super) struct Cost {
    pub(super) decision: Decision,
    /// The fuel of one run.
    pub(super) fuel: u64,
    /// The median time to create, call and drop an instance.
    pub(super) fresh: Duration,
    /// The time of a cached decision, or `None` if the decision is not cached.
    pub(super) cached: Option<Duration>,
}

/// Measures the cost of deciding for this context, within an allow-list if there is one.
pub(super) fn cost(
    selector: &ComponentSelector,
    allowed: Option<&AllowedTracers>,
    context: &RuntimeContext,
    tracers: &TracerNames,
) -> Cost {
    let view = context.view();
    let restricted = |selector: ComponentSelector| -> Arc<dyn Selector> {
        match allowed {
            Some(allowed) => allowed.restrict(Arc::new(selector)),
            None => Arc::new(selector),
        }
    };
    let fresh = restricted(selector.with_mode(Mode::Fresh));
    let decision = fresh.decision(&view, tracers);
    let mut times: Vec<Duration> = (0..FRESH)
        .filter_map(|_| match fresh.decision(&view, tracers).origin {
            Origin::Run(cost) => Some(cost.took),
            _ => None,
        })
        .collect();
    times.sort_unstable();
    Cost {
        fuel: match decision.origin {
            Origin::Run(cost) => cost.fuel,
            _ => 0,
        },
        decision,
        fresh: times.get(times.len() / 2).copied().unwrap_or_default(),
        cached: cached(&*restricted(selector.clone()), context, tracers),
    }
}

/// Measures a cached decision. Returns `None` if a second decision runs the selector again.
fn cached(
    selector: &dyn Selector,
    context: &RuntimeContext,
    tracers: &TracerNames,
) -> Option<Duration> {
    let view = context.view();
    selector.decision(&view, tracers);
    if selector.decision(&view, tracers).origin != Origin::Cached {
        return None;
    }
    let began = Instant::now();
    for _ in 0..LEARNED {
        selector.decision(&view, tracers);
    }
    Some(began.elapsed() / LEARNED)
}

impl Cost {
    /// Returns `false` if the decision trapped or exceeded a limit, or named a tracer that is not on
    /// the allow-list. Errors returned by the selector and unknown tracers are valid results.
    pub(super) fn limits_kept(&self) -> bool {
        match &self.decision.choice {
            Choice::Fallback(fallback) => {
                matches!(fallback, Fallback::Failed(_) | Fallback::UnknownTracer(_))
            }
            _ => true,
        }
    }
}
