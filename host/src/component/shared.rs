//! What all selectors of one host share.

use parking_lot::Mutex;
use wasmtime::Engine;
use wasmtime::component::Linker;

use super::artifact::Artifacts;
use super::clock::Clock;
use super::limits::Limits;
use super::sandbox::Sandbox;

/// One engine with its clock, its limits and its artifacts.
pub(super) struct Shared {
    pub(super) engine: Engine,
    pub(super) limits: Limits,
    pub(super) clock: Clock,
    pub(super) linker: Linker<Sandbox>,
    pub(super) artifacts: Artifacts,
    /// Held by the load that starts its component.
    pub(super) starting: Mutex<()>,
}
