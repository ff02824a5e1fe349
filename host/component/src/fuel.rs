//! The price of what the host does for a guest, in the guest's own fuel.

use wasmtime::{StoreContextMut, Trap};

/// Fuel for entering the host, beside that for the bytes: as many instructions as
/// take the time, so that a guest which only asks runs out of fuel and not of time.
const FUEL_PER_QUESTION: u64 = 1_000;
/// Fuel for each key of a listing, which is copied and sorted.
const FUEL_PER_KEY: u64 = 250;

/// Takes fuel for what the host does in the guest's name, so that a guest pays
/// for a question as it pays for a loop.
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

/// Takes this much fuel. Where there is less, the decision is out of it.
pub(super) fn take<T>(store: &mut StoreContextMut<'_, T>, cost: u64) -> wasmtime::Result<()> {
    let left = store.get_fuel()?.checked_sub(cost);
    store.set_fuel(left.unwrap_or(0))?;
    match left {
        Some(_) => Ok(()),
        None => Err(Trap::OutOfFuel.into()),
    }
}
