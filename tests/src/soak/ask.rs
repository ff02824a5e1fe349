//! The load: one thread selects at full speed, another traces.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, TraceContextExt as _, Tracer as _, TracerProvider as _};
use spanmux::otel::RuntimeContextExt as _;
use spanmux::{Fallback, Origin, Reason, RuntimeContext, Selection};

use super::service::{Service, limits};
use super::{is_known, verdict};

/// Children of each root.
pub(super) const CHILDREN: u64 = 3;

/// Traces between two pauses. Spans that are created faster than they are sent are lost, and would
/// look like a torn trace.
const BURST: u64 = 64;
const REST: Duration = Duration::from_millis(10);

/// The observations of the load.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) selections: u64,
    /// By cause, in the order of `Cause::ALL`.
    pub(super) fallbacks: [u64; spanmux::Cause::ALL.len()],
    pub(super) cached: u64,
    pub(super) runs: u64,
    /// The largest amount of fuel of a selection.
    pub(super) fuel: u64,
    pub(super) times: Times,
    /// Selections that broke a promise, with the first one.
    pub(super) unregistered: verdict::Broken,
    pub(super) foreign: verdict::Broken,
    pub(super) dear: verdict::Broken,
    /// Traces, and their recording and non-recording spans.
    pub(super) roots: u64,
    pub(super) recording: u64,
    pub(super) nothing: u64,
}

impl Asked {
    pub(super) fn and(mut self, other: Self) -> Self {
        self.selections += other.selections;
        for (mine, others) in self.fallbacks.iter_mut().zip(other.fallbacks) {
            *mine += others;
        }
        self.cached += other.cached;
        self.runs += other.runs;
        self.fuel = self.fuel.max(other.fuel);
        self.times.add(&other.times);
        self.unregistered.add(other.unregistered);
        self.foreign.add(other.foreign);
        self.dear.add(other.dear);
        self.roots += other.roots;
        self.recording += other.recording;
        self.nothing += other.nothing;
        self
    }

    fn look(&mut self, service: &Service, selection: &Selection<String>, took: Duration) {
        self.selections += 1;
        self.times.count(took);
        match selection.origin() {
            Origin::Cached => self.cached += 1,
            Origin::Run(cost) => {
                self.runs += 1;
                self.fuel = self.fuel.max(cost.fuel);
                // Each selector of the chain may consume that much.
                let most = limits().fuel * 3;
                self.dear
                    .note_if(cost.fuel > most, || format!("{selection:?}"));
            }
            _ => {}
        }
        if let Some(cause) = selection.reason().cause() {
            self.fallbacks[cause as usize] += 1;
        }
        let named = match (selection.tracer_name(), selection.tracer()) {
            (Some(name), Some(value)) => is_known(name) && name == **value,
            (None, None) => *selection.reason() == Reason::NoTracers,
            _ => false,
        };
        self.unregistered
            .note_if(!named, || format!("{selection:?}"));
        let digest = selection.selector().and_then(|selector| selector.digest());
        if let Some(always) = digest.and_then(|digest| service.guests.always(digest)) {
            let right = match selection.reason() {
                Reason::Chosen => selection.tracer_name() == Some(always),
                Reason::Failed(fallback) => match &**fallback {
                    Fallback::UnknownTracer(name) => name == always,
                    fallback => is_hosts(fallback),
                },
                _ => false,
            };
            self.foreign.note_if(!right, || format!("{selection:?}"));
        }
    }
}

/// Failures that a correct selector may have on an overloaded machine.
fn is_hosts(fallback: &Fallback) -> bool {
    matches!(
        fallback,
        Fallback::Overloaded
            | Fallback::Host(_)
            | Fallback::OutOfBudget(_)
            | Fallback::Suspended(_)
    )
}

/// Returns a context: one of a few that recur, and sometimes a new one.
fn context(random: &mut fastrand::Rng) -> RuntimeContext {
    // Most abstain, so that the next selector decides.
    let letters = ["a", "a", "a", "a", "a", "a", "x", "t", "l", "e", "u", "k"];
    let letter = letters[random.usize(..letters.len())];
    let number = match random.u8(..100) {
        0 => random.u32(..),
        _ => random.u32(..20),
    };
    RuntimeContext::builder()
        .set("do", &*format!("{letter}{number}"))
        .build()
}

/// Selects until the end.
pub(super) fn select(service: &Service, over: &AtomicBool, seed: u64) -> Asked {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut asked = Asked::default();
    while !over.load(Ordering::Relaxed) {
        let context = context(&mut random);
        let begun = Instant::now();
        let selection = service.plain.select(&context.view());
        asked.look(service, &selection, begun.elapsed());
    }
    asked
}

/// Traces until the end: a root, and children below it.
pub(super) fn trace(service: &Service, over: &AtomicBool, seed: u64) -> Asked {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut asked = Asked::default();
    let tracer = service.provider.tracer("soak");
    while !over.load(Ordering::Relaxed) {
        let run = Context::new().with_runtime_context(context(&mut random));
        let below = run.with_span(tracer.start_with_context("root", &run));
        let mut recording = u64::from(below.span().is_recording());
        for _ in 0..CHILDREN {
            let child = tracer.start_with_context("child", &below);
            recording += u64::from(child.is_recording());
        }
        asked.roots += 1;
        asked.recording += recording;
        asked.nothing += 1 + CHILDREN - recording;
        if asked.roots % BURST == 0 {
            thread::sleep(REST);
        }
    }
    asked
}

/// A histogram of selection times, in steps of an eighth.
#[derive(Debug)]
pub(super) struct Times {
    steps: Vec<u64>,
    pub(super) longest: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            steps: vec![0; 64 * 8],
            longest: Duration::ZERO,
        }
    }
}

impl Times {
    fn count(&mut self, took: Duration) {
        self.longest = self.longest.max(took);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(8);
        let power = nanos.ilog2() as usize;
        let eighth = (nanos >> (power - 3)) as usize & 7;
        self.steps[power * 8 + eighth] += 1;
    }

    fn add(&mut self, other: &Self) {
        self.longest = self.longest.max(other.longest);
        for (mine, others) in self.steps.iter_mut().zip(&other.steps) {
            *mine += others;
        }
    }

    /// Returns the quantile, at most an eighth too large.
    pub(super) fn share(&self, share: f64) -> Duration {
        let all: u64 = self.steps.iter().sum();
        let mut left = (all as f64 * share) as u64;
        for (step, count) in self.steps.iter().enumerate() {
            if left < *count {
                let (power, eighth) = (step / 8, step as u64 % 8);
                let nanos = (9 + eighth) << (power - 3);
                return Duration::from_nanos(nanos).min(self.longest);
            }
            left -= count;
        }
        self.longest
    }
}
