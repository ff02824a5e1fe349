//! Of the host's limits what the circuit reads; the others are those of wasmtime.

use std::time::Duration;

pub(super) struct Limits {
    pub(super) suspend_after: u32,
    pub(super) suspend_first: Duration,
    pub(super) suspend_longest: Duration,
}
