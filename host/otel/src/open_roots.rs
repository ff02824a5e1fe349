//! The names of open root spans, so that a shutdown can report them.

use std::fmt::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;

/// Maximum number of names per tracer. Further open root spans are only counted.
const MAX_NAMES: usize = 16;

/// Maximum length of a name in bytes.
const MAX_BYTES: usize = 47;

/// The names of some open root spans of a tracer.
///
/// # Cost
/// The first root span allocates the places. Afterwards, a root span takes a free place
/// with an atomic operation and copies its name there.
#[derive(Debug, Default)]
pub(super) struct OpenRoots {
    /// One bit for each place that is taken.
    taken: AtomicU32,
    places: OnceLock<Box<[Mutex<Name>; MAX_NAMES]>>,
}

/// A place that one open root span has taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(u8);

#[derive(Debug)]
struct Name {
    length: u8,
    bytes: [u8; MAX_BYTES],
}

impl Default for Name {
    fn default() -> Self {
        Self {
            length: 0,
            bytes: [0; MAX_BYTES],
        }
    }
}

impl OpenRoots {
    /// Keeps the name of a root span that starts, if a place is free.
    pub(super) fn open(&self, name: &str) -> Option<Place> {
        let place = self.take()?;
        let places = self.places.get_or_init(Box::default);
        places.get(usize::from(place.0))?.lock().set(name);
        Some(place)
    }

    /// Gives the place back unless the span is open.
    pub(super) fn only_if(&self, is_open: bool, place: Option<Place>) -> Option<Place> {
        if !is_open && let Some(place) = place {
            self.close(place);
            return None;
        }
        place
    }

    pub(super) fn close(&self, place: Place) {
        self.taken.fetch_and(!(1 << place.0), Ordering::AcqRel);
    }

    fn take(&self) -> Option<Place> {
        let free = |taken: u32| Some(taken.trailing_ones()).filter(|free| *free < MAX_NAMES as u32);
        let taken = self
            .taken
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |taken| {
                free(taken).map(|free| taken | 1 << free)
            });
        let place = free(taken.ok()?)?;
        u8::try_from(place).ok().map(Place)
    }

    /// Returns the names, sorted and each with its number if it occurs several times.
    fn names(&self) -> Vec<(String, usize)> {
        let taken = self.taken.load(Ordering::Acquire);
        let places = self
            .places
            .get()
            .into_iter()
            .flat_map(|places| places.iter());
        let taken = places
            .enumerate()
            .filter(|(place, _)| taken & (1 << place) != 0);
        let mut all: Vec<String> = taken.map(|(_, name)| name.lock().get()).collect();
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
    fn set(&mut self, name: &str) {
        let end = name.floor_char_boundary(MAX_BYTES);
        self.bytes[..end].copy_from_slice(&name.as_bytes()[..end]);
        self.length = end as u8;
    }

    fn get(&self) -> String {
        String::from_utf8_lossy(&self.bytes[..usize::from(self.length)]).into_owned()
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
