//! Redaction, delivery and exporters of [Spanmux](https://docs.rs/spanmux): everything between
//! the end of a span and the answer of a backend.
//!
//! Applications depend on the crate `spanmux`, which re-exports everything public here. Reading
//! order: [`redaction`] removes secrets and noise from a span, [`delivery`] queues it, sends it and
//! counts the outcome, and [`exporters`] holds the destinations. Only `exporters` uses the
//! network.

mod base64_text;
pub mod delivery;
mod dialect;
pub mod exporters;
mod exporting;
mod places;
pub mod redaction;
mod shortening;

/// Parts that the other crates of Spanmux share. Not covered by semantic versioning.
#[doc(hidden)]
pub mod internal {
    pub use crate::delivery::{DEFAULT_DEADLINE, Exporting, Pipeline, Processor, Rest, after};
    pub use crate::dialect::page as dialects_page;
    pub use crate::redaction::{SpanProcessing, kept_and_omitted, safe_end};

    /// Starting exporters.
    pub mod exporting {
        pub use crate::exporting::{Plan, TracerConfigError, check, start};
    }
}
