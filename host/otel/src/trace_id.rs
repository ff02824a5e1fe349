//! The selected tracer in the trace id: the cheaper of the two carriers in a span
//! context.
//!
//! All spans of a trace share its id, so nothing has to be copied from parent to child.
//! The lower 80 bits are random; ratio samplers and the random flag of W3C Trace Context
//! use only those. The upper 48 bits are the number of a [route](super::routes), masked
//! with a hash of the lower bits that is keyed by the provider. They therefore look
//! random as well, and an id from another source decodes to an unused route number. The
//! chance that a foreign id matches is 2^-48 per existing route.
//!
//! The key separates provider instances. It is not a secret: a `tracestate` entry reveals
//! it too, and ids from other processes are never followed.

use std::cell::Cell;
use std::hash::BuildHasher as _;

use foldhash::quality::FixedState;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

/// The number of random bits in a trace id.
const RANDOM_BITS: u32 = 80;

/// Encodes and decodes the route numbers of one provider in trace ids.
#[derive(Debug)]
pub(super) struct TraceIds {
    key: FixedState,
}

impl TraceIds {
    pub(super) fn new(provider: u64) -> Self {
        Self {
            key: FixedState::with_seed(provider),
        }
    }

    /// Returns a new trace id that carries a route number of 48 bits.
    pub(super) fn write(&self, number: u64) -> TraceId {
        self.hide(number, RandomIdGenerator::default().new_trace_id())
    }

    /// Returns the route number in a trace id of this provider, or an arbitrary 48-bit
    /// number for any other id.
    pub(super) fn read(&self, id: TraceId) -> u64 {
        let (number, random) = halves(id);
        number ^ self.mask(random)
    }

    /// Returns the random id with the route number in its upper bits.
    fn hide(&self, number: u64, random: TraceId) -> TraceId {
        let (_, random) = halves(random);
        let number = number ^ self.mask(random);
        TraceId::from(u128::from(number) << RANDOM_BITS | random)
    }

    fn mask(&self, random: u128) -> u64 {
        self.key.hash_one(random) >> (u64::BITS + RANDOM_BITS - u128::BITS)
    }
}

/// Splits an id into its upper bits and the random bits below.
fn halves(id: TraceId) -> (u64, u128) {
    let id = u128::from_be_bytes(id.to_bytes());
    let random = id & ((1 << RANDOM_BITS) - 1);
    // 48 bits remain.
    ((id >> RANDOM_BITS) as u64, random)
}

thread_local! {
    static OFFERED: Cell<Option<TraceId>> = const { Cell::new(None) };
}

/// Offers an id to the next root span that a provider with [`RoutedIds`] starts on this
/// thread.
///
/// The SDK's tracer takes no trace id argument. A number stored in its id generator would
/// belong to a single routing provider, but several may share a tracer.
#[must_use = "the offer is withdrawn when this is dropped"]
pub(super) struct Offer;

impl Offer {
    pub(super) fn of(id: TraceId) -> Self {
        OFFERED.set(Some(id));
        Self
    }
}

impl Drop for Offer {
    /// A provider that is shut down does not take the offer.
    fn drop(&mut self) {
        OFFERED.set(None);
    }
}

/// An id generator that uses the id offered on this thread once. Without an offer, it
/// generates a random id, for spans that are started without the routing provider.
#[derive(Debug, Default)]
pub(super) struct RoutedIds {
    random: RandomIdGenerator,
}

impl IdGenerator for RoutedIds {
    fn new_trace_id(&self) -> TraceId {
        let offered = OFFERED.take();
        offered.unwrap_or_else(|| self.random.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        self.random.new_span_id()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use xxhash_rust::xxh64::xxh64;

    use super::*;

    const LARGEST: u64 = (1 << 48) - 1;

    /// Returns the same pseudo-random bits for the same seed.
    fn random(seed: u64) -> TraceId {
        let half = |salt: u64| u128::from(xxh64(&seed.to_le_bytes(), salt));
        TraceId::from(half(1) << 64 | half(2))
    }

    #[test]
    fn read_returns_the_written_number_for_its_own_provider_only() {
        let (ids, others) = (TraceIds::new(7), TraceIds::new(8));
        let mut taken = 0;
        for seed in 0..10_000 {
            for number in [0, 1, 77, LARGEST] {
                let id = ids.hide(number, random(seed));
                assert_eq!(ids.read(id), number);
                // After any random bit changes, the id counts as foreign.
                let bits = u128::from_be_bytes(id.to_bytes());
                let other = TraceId::from(bits ^ 1 << (seed % u64::from(RANDOM_BITS)));
                taken += u32::from(ids.read(other) < 1000);
                taken += u32::from(others.read(id) < 1000);
            }
            taken += u32::from(ids.read(random(seed)) < 1000);
        }
        // Of 90,000 foreign ids, 90,000 * 1,000 / 2^48 are expected to match: none.
        assert_eq!(taken, 0);
        assert_eq!(ids.read(ids.write(5)), 5);
    }

    #[test]
    fn ids_of_one_route_are_as_random_as_sdk_ids() {
        const IDS: u32 = 20_000;
        for number in [0, 1, LARGEST] {
            let ids: Vec<u128> = (0..u64::from(IDS))
                .map(|seed| TraceIds::new(11).hide(number, random(seed)).to_bytes())
                .map(u128::from_be_bytes)
                .collect();
            assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
            // Ones at each bit, and changes from each bit to the next, are within six
            // standard deviations of one half.
            let most = 6.0 * (f64::from(IDS) / 4.0).sqrt();
            for bit in 0..128 {
                let ones = ids.iter().filter(|id| **id >> bit & 1 == 1).count();
                assert!(
                    (ones as f64 - f64::from(IDS) / 2.0).abs() < most,
                    "bit {bit}"
                );
                let changes = ids.iter().map(|id| id ^ id.rotate_right(1));
                let changes = changes.filter(|id| id >> bit & 1 == 1).count();
                assert!(
                    (changes as f64 - f64::from(IDS) / 2.0).abs() < most,
                    "bit {bit}"
                );
            }
        }
    }

    #[test]
    fn offered_id_is_used_once_and_withdrawn_on_drop() {
        let (ids, id) = (RoutedIds::default(), random(1));
        let offer = Offer::of(id);
        assert_eq!(ids.new_trace_id(), id);
        assert_ne!(ids.new_trace_id(), id);
        drop(offer);
        drop(Offer::of(id));
        assert_ne!(ids.new_trace_id(), id);
    }
}
