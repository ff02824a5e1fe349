//! What all selectors of one host share.

use wasmtime::Engine;
use wasmtime::component::Linker;

use super::admission::Admission;
use super::engine::Clock;
use super::limits::Limits;
use super::sandbox::Sandbox;

/// One engine with its clock, its limits and its places.
pub(super) struct Shared {
    pub(super) engine: Engine,
    pub(super) limits: Limits,
    pub(super) clock: Clock,
    pub(super) admission: Admission,
    pub(super) linker: Linker<Sandbox>,
}
