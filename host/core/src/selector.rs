//! The trait that native code and components implement.

use crate::allowed_tracers::AllowedTracers;
use crate::cache_slot::CacheSlot;
use crate::context::ContextView;
use crate::decision::{Choice, CompactDecision, Decision, Suspension};
use crate::decision_cache::Tree;
use crate::explanation::{Explanation, Transcript};
use crate::tracer_names::TracerNames;

/// Decides which tracer receives a trace.
///
/// Implement this trait for logic with state of its own. Use [`selector_fn`] for a function, and a
/// `SelectorHost` to load a component.
///
/// A selector runs on the thread that starts the root span, so it must not block.
pub trait Selector: Send + Sync {
    /// Returns the name that identifies the selector in a selection. It must not change, because
    /// callers may keep it.
    fn name(&self) -> &str;

    /// Returns the SHA-256 digest of the selector's file in hexadecimal, or `None` for native code.
    /// As the name, it must not change.
    fn digest(&self) -> Option<&str> {
        None
    }

    /// Returns the allow-lists of the selector. It may choose a tracer that all of them allow, and any
    /// tracer if there is none. To restrict a selector, use
    /// [`Chain::restricted_to`](crate::Chain::restricted_to) or [`AllowedTracers::restrict`]. Do not
    /// implement it.
    fn allowed_tracers(&self) -> Vec<&AllowedTracers> {
        Vec::new()
    }

    /// Decides one trace.
    ///
    /// Must not panic. If it does, the panic hook of the process runs as for any panic, and the
    /// trace goes to the fallback tracer.
    fn decide(&self, context: &ContextView<'_>, tracers: &TracerNames) -> Choice;

    /// Decides one trace and returns the choice with its [`Origin`](crate::Origin). Do not implement it.
    fn decision(&self, context: &ContextView<'_>, tracers: &TracerNames) -> Decision {
        self.decide_in(&CacheSlot::default(), context, tracers, Sealed(()))
            .into_decision()
    }

    /// Returns the suspension of a selector whose runs failed repeatedly. Native code is never
    /// suspended.
    fn suspension(&self) -> Option<Suspension> {
        None
    }

    /// Returns the cached decisions for these tracers as a tree, or `None` for native code.
    fn explanation(&self, _tracers: &TracerNames) -> Option<Explanation> {
        None
    }

    /// Runs the selector once and returns its questions, the answers and the decision. It neither
    /// reads nor changes cached decisions, state or suspension. `None` for native code.
    ///
    /// # Cost
    /// A fresh instance, as for a decision that is not cached.
    fn transcript(&self, _context: &ContextView<'_>, _tracers: &TracerNames) -> Option<Transcript> {
        None
    }

    /// Prepares a cache slot for these tracers, so that the threads that decide do not wait for
    /// each other to do it. Sealed.
    #[doc(hidden)]
    fn cache_slot(&self, _tracers: &TracerNames, _: Sealed) -> CacheSlot {
        CacheSlot::default()
    }

    /// Decides from a cache slot of these tracers. Sealed.
    #[doc(hidden)]
    fn decide_in(
        &self,
        _slot: &CacheSlot,
        context: &ContextView<'_>,
        tracers: &TracerNames,
        _: Sealed,
    ) -> CompactDecision {
        CompactDecision::of(self.decide(context, tracers), false)
    }

    /// Decides from a cache slot of these tracers if that takes no run of a component. Sealed.
    #[doc(hidden)]
    fn recall_in(
        &self,
        slot: &CacheSlot,
        context: &ContextView<'_>,
        tracers: &TracerNames,
        sealed: Sealed,
    ) -> Option<CompactDecision> {
        Some(self.decide_in(slot, context, tracers, sealed))
    }

    /// Returns the decision tree of a cache slot of these tracers, or `None` for a selector without
    /// one. Sealed.
    #[doc(hidden)]
    fn tree_in<'s>(
        &self,
        _slot: &'s CacheSlot,
        _tracers: &TracerNames,
        _: Sealed,
    ) -> Option<&'s Tree> {
        None
    }
}

/// Seals the methods of [`Selector`] that only this workspace implements.
#[derive(Clone, Copy, Debug)]
pub struct Sealed(pub(crate) ());

/// Creates a selector from a function, as tower's `service_fn` creates a service.
///
/// # Examples
/// ```
/// use spanmux::{Choice, selector_fn};
///
/// let by_environment = selector_fn("by-environment", |context, tracers| {
///     match context.text("environment") {
///         Some("production") => tracers.choose("langfuse"),
///         Some(_) => tracers.choose("console"),
///         None => Choice::Abstain,
///     }
/// });
/// # let _ = by_environment;
/// ```
pub fn selector_fn<F>(name: impl Into<String>, select: F) -> impl Selector
where
    F: Fn(&ContextView<'_>, &TracerNames) -> Choice + Send + Sync,
{
    Native {
        name: name.into(),
        select,
    }
}

struct Native<F> {
    name: String,
    select: F,
}

impl<F> Selector for Native<F>
where
    F: Fn(&ContextView<'_>, &TracerNames) -> Choice + Send + Sync,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&self, context: &ContextView<'_>, tracers: &TracerNames) -> Choice {
        (self.select)(context, tracers)
    }
}

/// Returns the message of a panic's payload.
pub fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    format!("panicked: {text}")
}
