//! The names of the available tracers, as a selector sees them.

use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::{Arc, OnceLock};

use hashbrown::HashTable;

use crate::chunks::Chunks;
use crate::decision::{Choice, Fallback, TracerIndex};

/// Maximum length of a tracer's name, and so of a selector's answer, in bytes.
///
/// A name is a label for people. 256 bytes suffice for any label that is read.
pub const MAX_NAME_BYTES: usize = 256;

/// Maximum number of tracers in one registry.
///
/// A selector receives all names at each run, and every guest kit works with this many. A service
/// with more tenants gives the tenant to the backend as an attribute instead of a tracer each.
pub const MAX_TRACERS: usize = 6_000;

/// Maximum size of the names of all tracers in one registry, in bytes: 512 KiB, or 87 bytes for each
/// of [`MAX_TRACERS`] names. All names are copied into the memory of a selector.
pub const MAX_TRACER_BYTES: usize = 512 << 10;

/// The names of the available tracers in the order of registration: a snapshot that does not change
/// while a selector reads it.
///
/// # Examples
/// ```
/// use spanmux::{Choice, TracerNames};
///
/// let names = TracerNames::new(["langfuse", "console"]);
/// assert!(matches!(names.choose("console"), Choice::Tracer(_)));
/// assert!(matches!(names.choose("Console"), Choice::Fallback(_)));
/// ```
///
/// Cloning is cheap: clones share one list. Two lists are equal if they have equal names in the
/// same order.
#[derive(Clone, Default)]
pub struct TracerNames {
    list: Arc<List>,
}

/// Names whose copies share most of their memory.
#[derive(Clone, Default)]
struct List {
    names: Chunks<Arc<str>>,
    places: Places,
    /// Size of all names.
    bytes: usize,
    /// The names as a selector reads them, made when one asks for them.
    slice: OnceLock<Vec<String>>,
}

/// The positions of names by hash. A change copies one of the parts.
#[derive(Clone, Default)]
struct Places {
    hasher: foldhash::fast::RandomState,
    parts: Vec<Arc<HashTable<usize>>>,
}

/// Parts of the positions: for 6,000 names, a change copies 64 pointers and some 94 positions.
const PARTS: usize = 64;

impl List {
    #[inline]
    fn place(&self, name: &str) -> Option<usize> {
        let hash = self.places.hasher.hash_one(name);
        let part = self.places.parts.get(hash as usize % PARTS)?;
        let is_same = |place: &usize| self.names.get(*place).is_some_and(|known| **known == *name);
        part.find(hash, is_same).copied()
    }

    /// Appends a name that is not in the list.
    fn push(&mut self, name: Arc<str>) {
        let Places { hasher, parts } = &mut self.places;
        parts.resize_with(PARTS, Arc::default);
        let hash = hasher.hash_one(&*name);
        let place = self.names.len();
        self.bytes += name.len();
        self.names.push(name);
        let names = &self.names;
        let rehash = |place: &usize| names.get(*place).map_or(0, |name| hasher.hash_one(&**name));
        let part = Arc::make_mut(&mut parts[hash as usize % PARTS]);
        part.insert_unique(hash, place, rehash);
        self.slice = OnceLock::new();
    }
}

impl TracerNames {
    /// Creates a list of names in the given order. Repetitions are dropped.
    pub fn new<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::of(names.into_iter().map(|name| name.into().into()))
    }

    fn of(names: impl Iterator<Item = Arc<str>>) -> Self {
        let mut list = List::default();
        for name in names {
            if list.place(&name).is_none() {
                list.push(name);
            }
        }
        Self {
            list: Arc::new(list),
        }
    }

    /// Returns a copy with one more name, which must not be in the list.
    pub(crate) fn with(&self, name: Arc<str>) -> Self {
        let mut list = List {
            slice: OnceLock::new(),
            names: self.list.names.clone(),
            places: self.list.places.clone(),
            bytes: self.list.bytes,
        };
        list.push(name);
        Self {
            list: Arc::new(list),
        }
    }

    /// Returns a copy without the name at a position.
    pub(crate) fn without(&self, place: usize) -> Self {
        Self::of(self.list.names.without(place).iter().cloned())
    }

    /// Chooses the tracer of this name, compared byte by byte. An unknown name is recorded and
    /// selects the fallback tracer.
    pub fn choose(&self, name: &str) -> Choice {
        match self.list.place(name) {
            Some(place) => Choice::Tracer(TracerIndex(place)),
            None => {
                let mut name = name.to_owned();
                truncate(&mut name, MAX_NAME_BYTES);
                Choice::Fallback(Fallback::UnknownTracer(name))
            }
        }
    }

    /// Returns `true` if a tracer has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// Returns the position of a name.
    #[inline]
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.list.place(name)
    }

    /// Returns the name at an index that this list issued.
    pub fn name(&self, index: TracerIndex) -> Option<&str> {
        self.at(index.0).map(|name| &**name)
    }

    #[inline]
    pub(crate) fn at(&self, place: usize) -> Option<&Arc<str>> {
        self.list.names.get(place)
    }

    /// Iterates over the names in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.list.names.iter().map(|name| &**name)
    }

    /// Returns the names in order.
    ///
    /// # Cost
    /// The first call on a list copies the names. [`iter`](Self::iter) does not.
    pub fn as_slice(&self) -> &[String] {
        let copy = || self.iter().map(str::to_owned).collect();
        self.list.slice.get_or_init(copy)
    }

    /// Returns the number of names.
    pub fn len(&self) -> usize {
        self.list.names.len()
    }

    /// Returns the size of all names in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.list.bytes
    }

    /// Returns `true` if there are no names.
    pub fn is_empty(&self) -> bool {
        self.list.names.is_empty()
    }
}

impl PartialEq for TracerNames {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.list, &other.list) || self.list.names == other.list.names
    }
}

impl Eq for TracerNames {}

/// Formats the names.
impl fmt::Debug for TracerNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Truncates a text to at most `bytes` bytes at a character boundary.
pub fn truncate(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
    }
}
