//! The keys and values of a context in two buffers: one of text and one of entries.
//!
//! Members of objects are entries too, with the number of their object, so one index finds the
//! literal keys and each part of a dotted path. A context that extends another one refers to it and
//! holds its own entries only.

use std::sync::Arc;

use super::hash::hash;
use super::index::Index;
use super::limits::{ContextError, ContextLimits};
use super::look_up::LookUp;
use super::value::Value;
use super::words::{INLINE, Words};

/// The parent of a key that belongs to no object.
pub(super) const TOP: u32 = 0;

/// The parent of an entry whose key was set again.
const REPLACED: u32 = u32::MAX;

/// A part of the text of a context, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) length: u32,
}

/// A value whose text is a part of the text of its context.
#[derive(Clone, Copy)]
pub(super) enum Node {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(Span),
    /// The canonical text of an array, or of an integer that is too large.
    Json(Span),
    /// The canonical text of an object, and its number, which its members carry.
    Object(Span, u32),
}

#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// The hash of the key and the parent.
    hash: u32,
    /// The number of the object that has this member, [`TOP`] or [`REPLACED`].
    parent: u32,
    key: Span,
    words: Words,
    node: Node,
}

/// Entries of a context in the making. They are found only when they are [finished](Self::finish).
#[derive(Clone, Default)]
pub(super) struct Draft {
    pub(super) text: String,
    pub(super) entries: Vec<Entry>,
    /// The number of objects.
    objects: u32,
}

/// A position in a draft, to which it can be reset.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    text: usize,
    entries: usize,
    objects: u32,
}

/// Capacities of a new draft: few contexts need more. Each fits into a kilobyte, up to which the
/// allocators of most systems have a block at hand.
const TEXT: usize = 512;
const ENTRIES: usize = 1_008 / size_of::<Entry>();

impl Draft {
    pub(super) fn mark(&self) -> Mark {
        Mark {
            text: self.text.len(),
            entries: self.entries.len(),
            objects: self.objects,
        }
    }

    pub(super) fn reset(&mut self, mark: Mark) {
        self.text.truncate(mark.text);
        self.entries.truncate(mark.entries);
        self.objects = mark.objects;
    }

    /// Appends a text.
    pub(super) fn push_text(&mut self, text: &str) -> Span {
        if self.text.capacity() == 0 {
            self.text.reserve(TEXT.max(text.len()));
        }
        let start = self.text.len();
        self.text.push_str(text);
        self.since(start)
    }

    /// Returns the part of the text from `start` to the end.
    pub(super) fn since(&self, start: usize) -> Span {
        span(start, self.text.len())
    }

    /// Returns the number of the next object.
    pub(super) fn next_object(&mut self) -> u32 {
        self.objects += 1;
        self.objects
    }

    /// Appends an entry whose key is a part of the text already.
    pub(super) fn push(&mut self, parent: u32, name: &str, key: Span, node: Node) {
        if self.entries.capacity() == 0 {
            self.entries.reserve(ENTRIES);
        }
        self.entries.push(Entry {
            hash: mixed(hash(name), parent),
            parent,
            key,
            words: Words::of(name.as_bytes()),
            node,
        });
    }

    /// Changes the text of the entry at a position, which was not known before.
    pub(super) fn patch(&mut self, place: usize, key: Option<Span>, node: Option<Node>) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.key = key.unwrap_or(entry.key);
            entry.node = node.unwrap_or(entry.node);
        }
    }

    /// Returns a draft with the entries of a context before these.
    fn on_top_of(self, base: &Entries) -> Self {
        let mut draft = Draft {
            text: [&*base.text, &*self.text].concat(),
            entries: Vec::with_capacity(base.entries.len() + self.entries.len()),
            objects: base.objects(),
        };
        let (text, objects) = (base.text.len() as u32, draft.objects);
        draft.entries.extend(&base.entries);
        draft
            .entries
            .extend(self.entries.iter().map(|entry| entry.moved(text, objects)));
        draft.objects += self.objects;
        draft
    }

    /// Makes the entries findable. The last entry of a key replaces the others.
    fn finish(mut self) -> (String, Vec<Entry>, Index) {
        let mut index = Index::with_capacity(self.entries.len());
        for place in 0..self.entries.len() {
            let Entry {
                hash, parent, key, ..
            } = self.entries[place];
            let name = bytes(&self.text, key);
            let is = |other: &Entry| {
                other.hash == hash && other.parent == parent && bytes(&self.text, other.key) == name
            };
            let replaced = index.insert(hash, place, |known| is(&self.entries[known]));
            if let Some(known) = replaced {
                self.entries[known].parent = REPLACED;
            }
        }
        (self.text, self.entries, index)
    }
}

/// The key of an entry that is looked for.
struct Sought<'k> {
    hash: u32,
    parent: u32,
    words: Words,
    name: &'k [u8],
}

impl Entry {
    /// Returns `true` if the entry has this key.
    #[inline(always)]
    fn is(&self, sought: &Sought<'_>, text: &str) -> bool {
        self.hash == sought.hash
            && self.words == sought.words
            && self.key.length as usize == sought.name.len()
            && self.parent == sought.parent
            // Short keys have been compared by now.
            && (sought.name.len() <= INLINE || bytes(text, self.key) == sought.name)
    }

    /// Returns the entry in a context with so much text and so many objects before it.
    fn moved(self, text: u32, objects: u32) -> Self {
        let part = |span: Span| Span {
            start: span.start + text,
            ..span
        };
        let parent = match self.parent {
            TOP | REPLACED => self.parent,
            object => object + objects,
        };
        let node = match self.node {
            Node::Text(span) => Node::Text(part(span)),
            Node::Json(span) => Node::Json(part(span)),
            Node::Object(span, number) => Node::Object(part(span), number + objects),
            plain => plain,
        };
        Self {
            // The hash of a member depends on its parent.
            hash: self.hash ^ parented(self.parent) ^ parented(parent),
            parent,
            key: part(self.key),
            node,
            ..self
        }
    }
}

/// The parts of a context are smaller than 4 GiB: see `Canonicalizer`.
fn span(start: usize, end: usize) -> Span {
    Span {
        start: start as u32,
        length: (end - start) as u32,
    }
}

#[inline(always)]
fn mixed(hash: u64, parent: u32) -> u32 {
    hash as u32 ^ parented(parent)
}

#[inline(always)]
fn parented(parent: u32) -> u32 {
    parent.wrapping_mul(0x9e37_79b1)
}

#[inline(always)]
fn bytes(text: &str, Span { start, length }: Span) -> &[u8] {
    let start = start as usize;
    let bytes = text.as_bytes().get(start..start + length as usize);
    bytes.unwrap_or_default()
}

/// Maximum number of entries that extend a context with fewer entries. A larger extension copies
/// them, so that a further extension shares it.
const SMALL: usize = 8;

/// The canonical keys and values of a context.
#[derive(Default)]
pub(super) struct Entries {
    text: String,
    entries: Vec<Entry>,
    index: Index,
    /// The entries of the context that this one extends, as far as no key here replaces them.
    base: Option<Arc<Entries>>,
    /// `false` if no value is an object, so that no dotted path has a value. Most contexts have none,
    /// and most dotted keys that a selector asks for are absent.
    has_objects: bool,
    sizes: Sizes,
    /// The first value that was left out because it did not fit.
    error: Option<Box<ContextError>>,
}

/// The limits of a context, and its sizes with those of its base.
#[derive(Clone, Copy, Default)]
pub(super) struct Sizes {
    pub(super) limits: ContextLimits,
    pub(super) counted: usize,
    pub(super) bytes: usize,
}

impl Entries {
    pub(super) fn new(
        draft: Draft,
        base: Option<Arc<Entries>>,
        sizes: Sizes,
        error: Option<Box<ContextError>>,
    ) -> Self {
        let (draft, base) = match base {
            Some(base) if draft.entries.len() >= base.entries.len().max(SMALL) => {
                (draft.on_top_of(&base), None)
            }
            base => (draft, base),
        };
        let base_has = base.as_ref().is_some_and(|base| base.has_objects);
        let has_objects = draft.objects > 0 || base_has;
        let (text, entries, index) = draft.finish();
        Self {
            text,
            entries,
            index,
            base,
            has_objects,
            sizes,
            error,
        }
    }

    /// Returns the parts of a context that extends this one. A chain of extensions has one base, so
    /// that a look-up asks two indexes at most.
    pub(super) fn extend(self: &Arc<Self>) -> (Draft, Option<Arc<Entries>>) {
        match &self.base {
            None if self.entries.is_empty() => (Draft::default(), None),
            None => (Draft::default(), Some(self.clone())),
            Some(base) => {
                let draft = Draft {
                    text: self.text.clone(),
                    entries: self.entries.clone(),
                    objects: self.objects(),
                };
                (draft, Some(base.clone()))
            }
        }
    }

    fn objects(&self) -> u32 {
        let numbers = self.entries.iter().map(|entry| match entry.node {
            Node::Object(_, number) => number,
            _ => 0,
        });
        numbers.max().unwrap_or(0)
    }

    pub(super) fn sizes(&self) -> Sizes {
        self.sizes
    }

    #[inline]
    pub(super) fn error(&self) -> Option<&ContextError> {
        self.error.as_deref()
    }

    /// Returns `false` if no dotted path has a value.
    #[inline]
    pub(super) fn has_objects(&self) -> bool {
        self.has_objects
    }

    /// Iterates over the keys, without the members of objects.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let base = self.base.iter().flat_map(|base| base.own_keys());
        let base = base.filter(move |(entry, key)| {
            let sought = Sought {
                hash: entry.hash,
                parent: TOP,
                words: entry.words,
                name: key.as_bytes(),
            };
            self.own(&sought).is_none()
        });
        self.own_keys().chain(base).map(|(_, key)| key)
    }

    fn own_keys(&self) -> impl Iterator<Item = (&Entry, &str)> {
        let top = self.entries.iter().filter(|entry| entry.parent == TOP);
        top.map(|entry| (entry, self.part(entry.key)))
    }

    pub(super) fn sorted_keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = self.keys().collect();
        keys.sort_unstable();
        keys
    }

    /// Returns a part of the text.
    #[inline(always)]
    fn part(&self, Span { start, length }: Span) -> &str {
        let start = start as usize;
        // It was cut at character boundaries.
        let part = self.text.get(start..start + length as usize);
        part.unwrap_or_default()
    }

    #[inline(always)]
    fn value(&self, node: Node) -> Value<'_> {
        match node {
            Node::Null => Value::Null,
            Node::Boolean(boolean) => Value::Boolean(boolean),
            Node::Integer(integer) => Value::Integer(integer),
            Node::Float(float) => Value::Float(float),
            Node::Text(text) => Value::Text(self.part(text)),
            Node::Json(text) | Node::Object(text, _) => Value::Json(self.part(text)),
        }
    }

    #[inline(always)]
    fn own(&self, sought: &Sought<'_>) -> Option<Node> {
        let mut cell = sought.hash as usize;
        loop {
            let entry = self.entries.get(self.index.at(cell)?)?;
            if entry.is(sought, &self.text) {
                return Some(entry.node);
            }
            cell += 1;
        }
    }

    /// Returns the value of a literal key.
    #[inline(always)]
    pub(super) fn literal(&self, key: &impl LookUp) -> Option<Value<'_>> {
        let (hash, words) = key.whole();
        let sought = Sought {
            hash: mixed(hash, TOP),
            parent: TOP,
            words,
            name: key.text().as_bytes(),
        };
        match self.own(&sought) {
            Some(node) => Some(self.value(node)),
            None => {
                let base = self.base.as_deref()?;
                Some(base.value(base.own(&sought)?))
            }
        }
    }

    /// Returns the value of a dotted path: the longest prefix that names an object, then the rest
    /// inside that object.
    pub(super) fn dotted(&self, key: impl LookUp) -> Option<Value<'_>> {
        if !self.has_objects {
            return None;
        }
        let ((entries, object), rest) = longest_object(&key, 0, |end| self.object(&key, end))?;
        entries.member(object, &key, rest)
    }

    /// Returns the object that a prefix of the key names, with the entries that hold it.
    fn object(&self, key: &impl LookUp, end: usize) -> Option<(&Self, u32)> {
        let sought = part(key, 0, end, TOP);
        // A value here replaces the object of the base.
        let (entries, node) = match self.own(&sought) {
            Some(node) => (self, node),
            None => {
                let base = self.base.as_deref()?;
                (base, base.own(&sought)?)
            }
        };
        Some((entries, number(node)?))
    }

    /// Applies the same rule inside an object to the key from `start` on. Each step descends one
    /// object, so the recursion ends within `ContextLimits::depth` steps.
    fn member(&self, object: u32, key: &impl LookUp, start: usize) -> Option<Value<'_>> {
        let find = |end: usize| self.own(&part(key, start, end, object));
        if let Some(node) = find(key.text().len()) {
            return Some(self.value(node));
        }
        let (inner, rest) = longest_object(key, start, |end| number(find(end)?))?;
        self.member(inner, key, rest)
    }
}

/// Returns a part of a dotted path as the key of an entry with this parent.
fn part(key: &impl LookUp, start: usize, end: usize, parent: u32) -> Sought<'_> {
    let name = &key.text().as_bytes()[start..end];
    Sought {
        hash: mixed(key.hash(start, end), parent),
        parent,
        words: Words::of(name),
        name,
    }
}

fn number(node: Node) -> Option<u32> {
    match node {
        Node::Object(_, number) => Some(number),
        _ => None,
    }
}

/// Splits the key from `start` on at the last dot whose prefix `find` resolves. Returns the result
/// and the start of the rest.
fn longest_object<T>(
    key: &impl LookUp,
    start: usize,
    find: impl Fn(usize) -> Option<T>,
) -> Option<(T, usize)> {
    let mut end = key.text().len();
    while let Some(dot) = key.text()[start..end].rfind('.') {
        end = start + dot;
        if let Some(found) = find(end) {
            return Some((found, end + 1));
        }
    }
    None
}
