//! The names of the available tracers, as a selector sees them.

use std::collections::HashMap;

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
/// use spanway::{Choice, TracerNames};
///
/// let names = TracerNames::new(["langfuse", "console"]);
/// assert!(matches!(names.choose("console"), Choice::Tracer(_)));
/// assert!(matches!(names.choose("Console"), Choice::Fallback(_)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct TracerNames {
    names: Vec<String>,
    places: HashMap<String, usize, foldhash::fast::RandomState>,
}

impl TracerNames {
    /// Names in the given order. Of equal names the first one counts.
    pub fn new<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        let mut list = Self::default();
        for name in names {
            let name = name.into();
            if !list.places.contains_key(&name) {
                list.places.insert(name.clone(), list.names.len());
                list.names.push(name);
            }
        }
        list
    }

    /// Chooses the tracer of this name, compared byte by byte. An unknown name is
    /// a choice too, of the fallback tracer, and is recorded.
    pub fn choose(&self, name: &str) -> Choice {
        match self.places.get(name) {
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
        self.places.contains_key(name)
    }

    /// The name at a place that this list gave out.
    pub fn name(&self, index: TracerIndex) -> Option<&str> {
        self.names.get(index.0).map(String::as_str)
    }

    /// The names in order.
    pub fn as_slice(&self) -> &[String] {
        &self.names
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// Cuts a text to at most `bytes`, at a character border.
pub(crate) fn truncate(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
    }
}
