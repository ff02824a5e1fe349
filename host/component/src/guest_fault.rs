//! Faults of a guest that the host finds, beside the traps that the engine finds.

use std::fmt;

/// Faults of a guest that are the host's to name.
#[derive(Debug)]
pub(super) enum GuestFault {
    /// A question asked while the instance starts up.
    AskedInStartUp,
    /// `bucket` with no buckets.
    NoBuckets,
    /// A fault in the empty world: it exited, or called what is not there.
    World(String),
    /// The system had no memory. Not the guest's doing, and so no trap.
    NoMemory(String),
}

impl fmt::Display for GuestFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GuestFault::AskedInStartUp => {
                f.write_str("it asked the runtime context in its start-up")
            }
            GuestFault::NoBuckets => f.write_str("it asked for a share of zero buckets"),
            GuestFault::World(message) => f.write_str(message),
            GuestFault::NoMemory(message) => write!(f, "the system gave no memory: {message}"),
        }
    }
}

impl std::error::Error for GuestFault {}
