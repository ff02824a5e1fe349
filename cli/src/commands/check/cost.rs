//! What a decision costs: its fuel, which is the same everywhere, and its time here
//! and now.

use std::time::{Duration, Instant};

use spanmux::{
    Choice, ComponentSelector, Decision, Mode, Origin, RuntimeContext, Selector as _, TracerNames,
};

/// How many fresh decisions the median is of: a moment, even for an interpreter.
const FRESH: usize = 25;
/// How many learned ones are timed together: one takes less than the clock can tell.
const LEARNED: u32 = 1_000;

/// One decision and its cost.
pub(super) struct Cost {
    pub(super) decision: Decision,
    /// Fuel of a run.
    pub(super) fuel: u64,
    /// Making an instance, calling it and dropping it: the median.
    pub(super) fresh: Duration,
    /// The same context once more, if it was answered without a run.
    pub(super) learned: Option<Duration>,
}

/// Decides for this context as often as it takes.
pub(super) fn cost(
    selector: &ComponentSelector,
    context: &RuntimeContext,
    tracers: &TracerNames,
) -> Cost {
    let view = context.view();
    let fresh = selector.with_mode(Mode::Fresh);
    let decision = fresh.decide(&view, tracers);
    let mut times: Vec<Duration> = (0..FRESH)
        .filter_map(|_| match fresh.decide(&view, tracers).origin {
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
        learned: learned(selector, context, tracers),
    }
}

/// Asks twice and looks: none if it ran again.
fn learned(
    selector: &ComponentSelector,
    context: &RuntimeContext,
    tracers: &TracerNames,
) -> Option<Duration> {
    let view = context.view();
    selector.decide(&view, tracers);
    if selector.decide(&view, tracers).origin != Origin::Learned {
        return None;
    }
    let began = Instant::now();
    for _ in 0..LEARNED {
        selector.decide(&view, tracers);
    }
    Some(began.elapsed() / LEARNED)
}

impl Cost {
    /// An author's error and an unknown name are answers; a trap or a spent budget is a
    /// defect.
    pub(super) fn limits_kept(&self) -> bool {
        use spanmux::Fallback::{Failed, UnknownTracer};
        match &self.decision.choice {
            Choice::Fallback(fallback) => matches!(fallback, Failed(_) | UnknownTracer(_)),
            _ => true,
        }
    }
}
