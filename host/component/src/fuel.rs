//! The price of the host's work for a guest, in the guest's fuel.

use wasmtime::{StoreContextMut, Trap};

/// Fuel for entering the host, in addition to the bytes: as many instructions as take the same
/// time, so that a guest that only asks questions runs out of fuel and not of time.
const FUEL_PER_QUESTION: u64 = 1_000;
/// Fuel per key of a listing, which is copied and sorted.
const FUEL_PER_KEY: u64 = 250;

/// Charges a guest for the host's work, as a loop would be charged.
pub(super) fn burn<T>(
    store: &mut StoreContextMut<'_, T>,
    bytes: usize,
    keys: usize,
) -> wasmtime::Result<()> {
    let cost = FUEL_PER_QUESTION
        .saturating_add(bytes as u64)
        .saturating_add((keys as u64).saturating_mul(FUEL_PER_KEY));
    take(store, cost)
}

/// Charges this much fuel. If less is left, the decision runs out of fuel.
pub(super) fn take<T>(store: &mut StoreContextMut<'_, T>, cost: u64) -> wasmtime::Result<()> {
    let left = store.get_fuel()?.checked_sub(cost);
    store.set_fuel(left.unwrap_or(0))?;
    match left {
        Some(_) => Ok(()),
        None => Err(Trap::OutOfFuel.into()),
    }
}
