//! What all selectors of one host share.

use super::artifact::Artifacts;
use super::clock::Clock;
use super::lanes::Lanes;
use super::limits::Limits;
use parking_lot::Mutex;

/// Engines with their clock, their limits and their artifacts.
pub(super) struct Shared {
    pub(super) lanes: Lanes,
    pub(super) limits: Limits,
    pub(super) clock: Clock,
    pub(super) artifacts: Artifacts,
    /// Held by the load that starts its component.
    pub(super) starting: Mutex<()>,
}
