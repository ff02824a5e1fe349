//! The state of a WASI guest's world: a virtual clock, pseudo-random numbers, and output. It starts
//! the same for each decision.

use std::collections::HashMap;

use wasmtime::component::Resource;

use super::guest_fault::GuestFault;

/// Advance of the clock per look, in nanoseconds.
pub(super) const NANOSECONDS_PER_LOOK: u64 = 1_000;

/// Maximum number of pollables of a guest. A guest with more is in a loop.
const MAX_POLLABLES: usize = 1024;

/// A handle for a moment of the virtual clock.
pub(super) enum Pollable {}

/// The state of the empty world for one decision.
pub(super) struct World {
    /// Nanoseconds since the guest started. The wall clock starts at the Unix epoch.
    now: u64,
    /// The time at which each pollable of the guest is ready.
    pollables: HashMap<u32, u64>,
    pollables_made: u32,
    random: u64,
    printed: Vec<u8>,
    printed_limit: usize,
    /// Bytes that the current call transferred, which determine its price in fuel.
    handed_over: usize,
}

impl World {
    pub(super) fn new(printed_limit: usize) -> Self {
        Self {
            now: 0,
            pollables: HashMap::new(),
            pollables_made: 0,
            // Any number but zero; this is the fraction of the golden ratio.
            random: 0x9e37_79b9_7f4a_7c15,
            printed: Vec::new(),
            printed_limit,
            handed_over: 0,
        }
    }

    /// Returns the guest's output on standard output and standard error.
    pub(super) fn take_printed(&mut self) -> Option<String> {
        let printed = std::mem::take(&mut self.printed);
        (!printed.is_empty()).then(|| String::from_utf8_lossy(&printed).into_owned())
    }

    pub(super) fn print(&mut self, bytes: &[u8]) {
        self.handed_over = bytes.len();
        let room = self.printed_limit.saturating_sub(self.printed.len());
        self.printed.extend(bytes.iter().take(room));
    }

    /// Returns the number of bytes that the last call transferred.
    pub(super) fn take_handed_over(&mut self) -> usize {
        std::mem::take(&mut self.handed_over)
    }

    /// Reads the clock, which advances it.
    pub(super) fn look(&mut self) -> u64 {
        self.now = self.now.saturating_add(NANOSECONDS_PER_LOOK);
        self.now
    }

    /// Returns the time without advancing it.
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// Advances the clock to a time.
    pub(super) fn wait_until(&mut self, time: u64) {
        self.now = self.now.max(time);
    }

    /// Creates a pollable that is ready at this time.
    pub(super) fn pollable(&mut self, ready: u64) -> wasmtime::Result<Resource<Pollable>> {
        if self.pollables.len() >= MAX_POLLABLES {
            let message = format!("it waits for more than {MAX_POLLABLES} things");
            return Err(GuestFault::World(message).into());
        }
        let number = self.pollables_made;
        self.pollables_made = number.wrapping_add(1);
        self.pollables.insert(number, ready);
        Ok(Resource::new_own(number))
    }

    /// Removes a pollable that the guest released.
    pub(super) fn forget(&mut self, number: u32) {
        self.pollables.remove(&number);
    }

    pub(super) fn ready_at(&self, pollable: &Resource<Pollable>) -> u64 {
        let ready = self.pollables.get(&pollable.rep());
        ready.copied().unwrap_or_default()
    }

    /// SplitMix64 with the same seed for each decision: sufficient for hash maps.
    pub(super) fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        if length > 64 << 10 {
            return Err(
                GuestFault::World(format!("it asks for {length} random bytes at once")).into(),
            );
        }
        self.handed_over = length as usize;
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < length {
            bytes.extend(self.random().to_le_bytes());
        }
        bytes.truncate(length as usize);
        Ok(bytes)
    }
}
