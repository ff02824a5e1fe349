//! Faults of a guest that the host detects, in addition to the engine's traps.

use std::fmt;

/// Faults of a guest that the host reports by name.
#[derive(Debug)]
pub(super) enum GuestFault {
    /// A question during the start of the instance.
    AskedInStartUp,
    /// `bucket` with zero buckets.
    NoBuckets,
    /// A fault in the empty world: the guest exited or called a missing function.
    World(String),
    /// The system refused memory. This is not the guest's fault, and so not a trap.
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
