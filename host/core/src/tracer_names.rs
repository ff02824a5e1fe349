//! The names of the available tracers, as a selector sees them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::decision::{Choice, Fallback, TracerIndex};

/// The longest name that a selector may answer, and so that a tracer may have.
///
/// A name is a label for people; 256 bytes hold any that one would read.
pub const MAX_NAME_BYTES: usize = 256;

/// The names of the available tracers in the order of their registration: a
/// snapshot, which does not change under a selector that reads it.
///
/// # Examples
/// ```
/// use spanmux::{Choice, TracerNames};
///
/// let names = TracerNames::new(["langfuse", "console"]);
/// assert!(matches!(names.choose("console"), Choice::Tracer(_)));
/// assert!(matches!(names.choose("Console"), Choice::Fallback(_)));
/// ```
/// Cheap to clone: all clones are one list. Two lists are equal if they have equal
/// names in the same order.
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
    /// Names in the given order. Of equal names the first one counts.
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

    /// Chooses the tracer of this name, compared byte by byte. An unknown name is
    /// a choice too, of the fallback tracer, and is recorded.
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

    /// Whether a tracer has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.list.places.contains_key(name)
    }

    /// The name at a place that this list gave out.
    pub fn name(&self, index: TracerIndex) -> Option<&str> {
        self.list.names.get(index.0).map(String::as_str)
    }

    /// The names in order.
    pub fn as_slice(&self) -> &[String] {
        &self.list.names
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.names.len()
    }

    /// Whether there is none.
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

/// Cuts a text to at most `bytes`, at a character border.
pub fn truncate(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
    }
}
