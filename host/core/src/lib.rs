//! The core of [Spanmux](https://docs.rs/spanmux): runtime contexts, decisions, selectors, the
//! decision cache and the tracer registry.
//!
//! Applications depend on the crate `spanmux`, which re-exports everything public here. This
//! crate does not depend on wasmtime or OpenTelemetry and reads no files. It prints nothing,
//! keeps no process-wide state and reads nothing from the environment.
//!
//! Data flows in one direction: context → selector → decision → registry. Reading order:
//!
//! 1. [`RuntimeContext`] and [`ContextView`]: the facts about a run, and the questions that a
//!    selector may ask.
//! 2. [`Decision`] and [`Fallback`]: a selector's answer, as plain values.
//! 3. [`Selector`], [`selector_fn`] and [`Chain`]: native code and components behind one trait, and
//!    the tracers that each one may choose: [`AllowedTracers`].
//! 4. `decision_cache`: the decisions of components, and of whole chains, as trees.
//! 5. [`TracerRegistry`] and [`Selection`]: the named tracers, and the selected one.

mod allowed_tracers;
mod cache_slot;
mod chain;
mod chunks;
#[allow(missing_docs)] // Shared within the workspace only.
mod circuit;
mod context;
mod decision;
#[allow(missing_docs)] // Shared within the workspace only.
mod decision_cache;
pub mod explanation;
mod parallel;
mod registry;
mod restricted;
mod selector;
mod sync;
mod tracer_names;
mod transcript;

pub use allowed_tracers::{AllowedTracers, PatternError};
pub use chain::Chain;
pub use context::{
    ContextError, ContextLimits, ContextSource, ContextView, RootSpan, RuntimeContext,
    RuntimeContextBuilder, SpanAttributes, Value,
};
pub use decision::{
    Budget, Cause, Choice, Decision, Fallback, Origin, Reason, RunCost, Suspension, TracerIndex,
};
pub use registry::{
    Lifecycle, LifecycleError, LifecycleFailure, LifecycleReport, PendingSelection, RegisterError,
    Selection, SelectionCounts, SelectionOutcome, TracerRegistry, Undelivered, UnknownTracerError,
};
pub use selector::{Selector, selector_fn};
pub use tracer_names::{MAX_NAME_BYTES, MAX_TRACER_BYTES, MAX_TRACERS, TracerNames};

/// Parts that the other crates of Spanmux share. Not covered by semantic versioning.
#[doc(hidden)]
pub mod internal {
    pub use crate::cache_slot::CacheSlot;
    pub use crate::circuit::{Circuit, CircuitChange, Patience, Permit, shows_health};
    pub use crate::context::{Answer, Keys, MAX_SAFE_INTEGER, OwnedView, Question, not_finite};
    pub use crate::decision::CompactDecision;
    pub use crate::decision_cache::{CacheLimits, DecisionCache, Run, Tree};
    pub use crate::explanation::{is_printable, name, printable};
    pub use crate::registry::{AskedKeys, OTHERS};
    pub use crate::selector::{Sealed, panic_message};
    /// The primitives that threads share.
    pub mod sync {
        pub use crate::sync::{ArcSwap, ArcSwapOption, Condvar, Guard, Mutex, OnceLock, atomic};
    }

    pub use crate::tracer_names::truncate;
}
