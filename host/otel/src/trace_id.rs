//! The choice in the trace id: the cheaper of the two ways in which a span's
//! context carries it.
//!
//! All spans of a trace have its id, so nothing has to be copied from parent to
//! child. The lower 80 bits are drawn at random; samplers by ratio and the random
//! flag of W3C Trace Context look at those alone. The upper 48 are the number of a
//! [route](super::routes), hidden under a hash of the lower ones that is keyed by
//! the provider. So they look random too, and another's id reads as a number that
//! no route has: an id of anybody else is taken for one of ours with a chance of
//! 2^-48 for each route that there is.
//!
//! The key keeps instances apart. It is no secret: a mark tells it too, and what
//! comes from elsewhere is not followed, whatever it says.

use std::cell::Cell;
use std::hash::BuildHasher as _;

use foldhash::quality::FixedState;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

/// How many of a trace id's bits are random.
const RANDOM_BITS: u32 = 80;

/// How one provider writes numbers into trace ids.
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

    /// A new trace id that carries the number of a route, which has 48 bits.
    pub(super) fn write(&self, number: u64) -> TraceId {
        self.hide(number, RandomIdGenerator::default().new_trace_id())
    }

    /// What a trace id says, if it is one of the provider's; else any number of 48
    /// bits.
    pub(super) fn read(&self, id: TraceId) -> u64 {
        let (number, random) = halves(id);
        number ^ self.mask(random)
    }

    /// The random id with the number in its upper bits.
    fn hide(&self, number: u64, random: TraceId) -> TraceId {
        let (_, random) = halves(random);
        let number = number ^ self.mask(random);
        TraceId::from(u128::from(number) << RANDOM_BITS | random)
    }

    fn mask(&self, random: u128) -> u64 {
        self.key.hash_one(random) >> (u64::BITS + RANDOM_BITS - u128::BITS)
    }
}

/// The upper bits, and the random ones below.
fn halves(id: TraceId) -> (u64, u128) {
    let id = u128::from_be_bytes(id.to_bytes());
    let random = id & ((1 << RANDOM_BITS) - 1);
    // 48 bits are left.
    ((id >> RANDOM_BITS) as u64, random)
}

thread_local! {
    static OFFERED: Cell<Option<TraceId>> = const { Cell::new(None) };
}

/// Offers an id to the next root that a provider with [`RoutedIds`] starts on this
/// thread.
///
/// An SDK's tracer takes no argument for it, and a number that its generator knew
/// would be that of one routing provider alone, while several may share a tracer.
#[must_use = "it is withdrawn when this is dropped"]
pub(super) struct Offer;

impl Offer {
    pub(super) fn of(id: TraceId) -> Self {
        OFFERED.set(Some(id));
        Self
    }
}

impl Drop for Offer {
    /// A provider that is shut down takes none.
    fn drop(&mut self) {
        OFFERED.set(None);
    }
}

/// Gives a new trace the id that is offered on this thread, once, and a random one
/// if none is: to spans that are started past the routing provider.
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

    /// Random bits that are the same each time.
    fn random(seed: u64) -> TraceId {
        let half = |salt: u64| u128::from(xxh64(&seed.to_le_bytes(), salt));
        TraceId::from(half(1) << 64 | half(2))
    }

    #[test]
    fn what_is_written_is_read_and_by_its_own_provider_alone() {
        let (ids, others) = (TraceIds::new(7), TraceIds::new(8));
        let mut taken = 0;
        for seed in 0..10_000 {
            for number in [0, 1, 77, LARGEST] {
                let id = ids.hide(number, random(seed));
                assert_eq!(ids.read(id), number);
                // If a random bit changes, it is somebody else's.
                let bits = u128::from_be_bytes(id.to_bytes());
                let other = TraceId::from(bits ^ 1 << (seed % u64::from(RANDOM_BITS)));
                taken += u32::from(ids.read(other) < 1000);
                taken += u32::from(others.read(id) < 1000);
            }
            taken += u32::from(ids.read(random(seed)) < 1000);
        }
        // 90,000 foreign ids, of which 90,000 * 1,000 / 2^48 pass: none.
        assert_eq!(taken, 0);
        assert_eq!(ids.read(ids.write(5)), 5);
    }

    #[test]
    fn ids_of_one_route_are_as_good_as_random_ones() {
        const IDS: u32 = 20_000;
        for number in [0, 1, LARGEST] {
            let ids: Vec<u128> = (0..u64::from(IDS))
                .map(|seed| TraceIds::new(11).hide(number, random(seed)).to_bytes())
                .map(u128::from_be_bytes)
                .collect();
            assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
            // Ones at each place, and changes from each place to the next: six
            // standard deviations from a half at most.
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
    fn an_offered_id_is_taken_once_and_never_left_behind() {
        let (ids, id) = (RoutedIds::default(), random(1));
        let offer = Offer::of(id);
        assert_eq!(ids.new_trace_id(), id);
        assert_ne!(ids.new_trace_id(), id);
        drop(offer);
        drop(Offer::of(id));
        assert_ne!(ids.new_trace_id(), id);
    }
}
