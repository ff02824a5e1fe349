//! The names of the available tracers, as a selector sees them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::decision::{Choice, Fallback, TracerIndex};

/// Maximum length of a tracer's name, and so of a selector's answer, in bytes.
///
/// A name is a label for people. 256 bytes suffice for any label that is read.
pub const MAX_NAME_BYTES: usize = 256;

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
/// Cloning is cheap: clones share one list. Two lists are equal if they have equal names in the
/// same order.
#[derive(Clone, Debug, Default)]
pub struct TracerNames {
    list: Arc<List>,
}

#[derive(Debug, Default)]
struct List {
    names: Vec<String>,
    places: HashMap<String, usize, foldhash::fast::RandomState>,
}

impl TracerNames {
    /// Creates a list of names in the given order. Repetitions are dropped.
    pub fn new<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        let mut list = List::default();
        for name in names {
            let name = name.into();
            if !list.places.contains_key(&name) {
                list.places.insert(name.clone(), list.names.len());
                list.names.push(name);
            }
        }
        Self {
            list: Arc::new(list),
        }
    }

    /// Chooses the tracer of this name, compared byte by byte. An unknown name is recorded and
    /// selects the fallback tracer.
    pub fn choose(&self, name: &str) -> Choice {
        match self.list.places.get(name) {
            Some(&place) => Choice::Tracer(TracerIndex(place)),
            None => {
                let mut name = name.to_owned();
                truncate(&mut name, MAX_NAME_BYTES);
                Choice::Fallback(Fallback::UnknownTracer(name))
            }
        }
    }

    /// Returns `true` if a tracer has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.list.places.contains_key(name)
    }

    /// Returns the name at an index that this list issued.
    pub fn name(&self, index: TracerIndex) -> Option<&str> {
        self.list.names.get(index.0).map(String::as_str)
    }

    /// Returns the names in order.
    pub fn as_slice(&self) -> &[String] {
        &self.list.names
    }

    /// Returns the number of names.
    pub fn len(&self) -> usize {
        self.list.names.len()
    }

    /// Returns `true` if there are no names.
    pub fn is_empty(&self) -> bool {
        self.list.names.is_empty()
    }
}

impl PartialEq for TracerNames {
    fn eq(&self, other: &Self) -> bool {
        self.list.names == other.list.names
    }
}

impl Eq for TracerNames {}

/// Truncates a text to at most `bytes` bytes at a character boundary.
pub fn truncate(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
    }
}
