//! Assigns a fallback cause to the error that stopped a guest.

use wasmtime::Trap;

use super::guest_fault::GuestFault;
use super::text::printable;
use spanmux_core::{Budget, Fallback};

/// Returns the failure for an error that stopped a guest.
pub(super) fn fault(error: &wasmtime::Error) -> Fallback {
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return match trap {
            Trap::OutOfFuel => Fallback::OutOfBudget(Budget::Fuel),
            Trap::Interrupt => Fallback::OutOfBudget(Budget::WallClock),
            Trap::StackOverflow => Fallback::OutOfBudget(Budget::Stack),
            other => {
                let message = other.to_string();
                let message = message.strip_prefix("wasm trap: ").unwrap_or(&message);
                Fallback::Trapped(message.to_owned())
            }
        };
    }
    match error.downcast_ref::<GuestFault>() {
        Some(stop @ GuestFault::NoMemory(_)) => return Fallback::Host(stop.to_string()),
        Some(stop) => return Fallback::Trapped(stop.to_string()),
        None => {}
    }
    if error
        .downcast_ref::<wasmtime::PoolConcurrencyLimitError>()
        .is_some()
    {
        return Fallback::Host(error.to_string());
    }
    let message = error.root_cause().to_string();
    // The engine has no type for this error. A test guards the message.
    if message.contains("fuel allocated for hostcalls has been exhausted") {
        return Fallback::OutOfBudget(Budget::Bytes);
    }
    Fallback::Trapped(printable(message.chars()))
}

/// Returns `true` if the same questions and answers always lead to this failure, on every machine
/// and under any load.
pub(super) fn comes_again(fallback: &Fallback) -> bool {
    match fallback {
        Fallback::Trapped(_) => true,
        Fallback::OutOfBudget(budget) => matches!(budget, Budget::Fuel | Budget::Bytes),
        _ => false,
    }
}
