//! The state that all selectors of one host share.

use super::artifact::Artifacts;
use super::epoch::EpochTicker;
use super::event::Events;
use super::limits::Limits;
use super::shards::EngineShards;
use parking_lot::Mutex;

/// The engines with their ticker, limits, artifacts and callback.
pub(super) struct HostState {
    pub(super) lanes: EngineShards,
    pub(super) limits: Limits,
    pub(super) clock: EpochTicker,
    pub(super) artifacts: Artifacts,
    pub(super) events: Events,
    /// Held by the load that starts its component.
    pub(super) starting: Mutex<()>,
}
