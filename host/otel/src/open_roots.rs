//! The names of open root spans, so that a shutdown can report them.

use std::cell::Cell;
use std::fmt::Write as _;
use std::num::NonZeroU64;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Maximum number of names per tracer. Further open root spans are only counted.
const MAX_NAMES: usize = 16;

/// The bits of a place's number.
const PLACE: u64 = MAX_NAMES as u64 - 1;

/// The words of a name.
const WORDS: usize = 6;

/// Maximum length of a name in bytes. A shorter name ends at a zero.
const MAX_BYTES: usize = WORDS * 8;

/// The names of some open root spans of a tracer.
///
/// The names are for a report that people read, so they are kept without a lock or a locked
/// instruction. If two threads take a place at the same moment, one name is missing or the place
/// shows parts of both.
///
/// # Cost
/// The first root span allocates the places. Afterwards, a root span looks for a free place and
/// copies its name there.
#[derive(Debug, Default)]
pub(super) struct OpenRoots {
    places: OnceLock<Box<[Name; MAX_NAMES]>>,
}

/// A place that one open root span has taken.
///
/// Unique among the open root spans of the process. The lowest bits are the place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(NonZeroU64);

impl Place {
    fn at(self) -> usize {
        self.0.get() as usize % MAX_NAMES
    }
}

/// A line of the processor's cache, so that threads do not write to the same one.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Name {
    /// The root span whose name this is, or zero.
    owner: AtomicU64,
    words: [AtomicU64; WORDS],
}

thread_local! {
    /// The number of root spans that this thread has named.
    static NAMED: Cell<u64> = const { Cell::new(0) };
}

/// Returns a number other than zero that no other open root span has, and a place to look first.
fn owner() -> (u64, usize) {
    NAMED.with(|named| {
        let count = named.get();
        named.set(count.wrapping_add(1));
        // Living threads have different addresses.
        let thread = std::ptr::from_ref(named).addr();
        let owner = (thread as u64) << 20 ^ count << 5 | 1 << 4;
        (owner & !PLACE, (thread >> 12).wrapping_add(count as usize))
    })
}

impl OpenRoots {
    /// Keeps the name of a root span that starts, if a place is free.
    pub(super) fn open(&self, name: &str) -> Option<Place> {
        let places = self.places.get_or_init(Box::default);
        let (owner, first) = owner();
        for at in first..first.wrapping_add(MAX_NAMES) {
            let place = at % MAX_NAMES;
            if places[place].owner.load(Ordering::Relaxed) == 0 {
                let owner = NonZeroU64::new(owner | place as u64)?;
                places[place].set(owner.get(), name);
                return Some(Place(owner));
            }
        }
        None
    }

    /// Gives a place back, unless another root span has taken it as well.
    pub(super) fn close(&self, place: Place) {
        let places = self.places.get();
        let name = places.and_then(|places| places.get(place.at()));
        if let Some(name) = name.filter(|name| name.owner.load(Ordering::Relaxed) == place.0.get())
        {
            name.owner.store(0, Ordering::Relaxed);
        }
    }

    /// Returns the names, sorted and each with its number if it occurs several times.
    fn names(&self) -> Vec<(String, usize)> {
        let places = self.places.get();
        let places = places.into_iter().flat_map(|places| places.iter());
        let taken = places.filter(|name| name.owner.load(Ordering::Relaxed) != 0);
        let mut all: Vec<String> = taken.map(Name::get).collect();
        all.sort_unstable();
        let mut names: Vec<(String, usize)> = Vec::new();
        for name in all {
            match names.last_mut().filter(|(known, _)| *known == name) {
                Some((_, number)) => *number += 1,
                None => names.push((name, 1)),
            }
        }
        names
    }

    /// Describes this number of open spans: `3 (roots: "answer", "job" × 2)`.
    pub(super) fn describe(&self, open: u64) -> String {
        let mut text = open.to_string();
        for (place, (name, number)) in self.names().iter().enumerate() {
            let before = if place == 0 { " (roots: " } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(text, "{before}\"{}\"", name.escape_debug());
            if *number > 1 {
                let _ = write!(text, " × {number}");
            }
        }
        if text.contains('(') {
            text.push(')');
        }
        text
    }
}

impl Name {
    fn set(&self, owner: u64, name: &str) {
        self.owner.store(owner, Ordering::Relaxed);
        let end = name.floor_char_boundary(MAX_BYTES);
        let (chunks, rest) = name.as_bytes()[..end].as_chunks();
        let last = rest
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte));
        let chunks = chunks.iter().map(|chunk| u64::from_le_bytes(*chunk));
        for (word, value) in self.words.iter().zip(chunks.chain([last])) {
            word.store(value, Ordering::Relaxed);
        }
    }

    fn get(&self) -> String {
        let words = self.words.iter().map(|word| word.load(Ordering::Relaxed));
        let bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
        let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(name).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_roots_are_named_and_their_number_is_bounded() {
        let roots = OpenRoots::default();
        assert_eq!(roots.describe(2), "2");
        let job = roots.open("job").unwrap();
        let answers = [(); 2].map(|()| roots.open("an\"swer").unwrap());
        assert_eq!(roots.describe(3), r#"3 (roots: "an\"swer" × 2, "job")"#);
        roots.close(job);
        assert_eq!(roots.describe(2), r#"2 (roots: "an\"swer" × 2)"#);
        for place in answers {
            roots.close(place);
        }
        let long = "ü".repeat(100);
        let places: Vec<_> = (0..100).filter_map(|_| roots.open(&long)).collect();
        assert_eq!(places.len(), MAX_NAMES);
        let name = "ü".repeat(MAX_BYTES / 2);
        assert_eq!(roots.describe(100), format!("100 (roots: \"{name}\" × 16)"));
    }
}
