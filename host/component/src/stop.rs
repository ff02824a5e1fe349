//! Faults of a guest that the host finds, beside the traps that the engine finds.

use std::fmt;

/// Faults of a guest that are the host's to name.
#[derive(Debug)]
pub(super) enum Stop {
    /// A question asked while the instance starts up.
    AskedInStartUp,
    /// `bucket` with no buckets.
    NoBuckets,
    /// A fault in the empty world: it exited, or called what is not there.
    World(String),
    /// The system had no memory. Not the guest's doing, and so no trap.
    NoMemory(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::AskedInStartUp => f.write_str("it asked the runtime context in its start-up"),
            Stop::NoBuckets => f.write_str("it asked for a share of zero buckets"),
            Stop::World(message) => f.write_str(message),
            Stop::NoMemory(message) => write!(f, "the system gave no memory: {message}"),
        }
    }
}

impl std::error::Error for Stop {}
