//! Lists of attributes with one value for each key.

use std::collections::{HashMap, HashSet};

use opentelemetry::KeyValue;

/// Maximum number of keys. It bounds memory and the search for a key. A span of the SDK
/// has at most 128 attributes, unless it is configured otherwise.
const MAX_KEYS: usize = 512;

/// Maximum length of a list that is compared pair by pair.
const FEW: usize = 32;

/// Attributes that were set on a span after its start. A span of the SDK appends each
/// value, so they are held back until the span ends, and only the last value of each key
/// leaves.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct AttributeList {
    kept: Vec<KeyValue>,
    is_full: bool,
}

impl AttributeList {
    /// Replaces the contents of an empty list with attributes that have different keys.
    #[inline]
    pub(super) fn begin_with(&mut self, kept: Vec<KeyValue>) {
        if !kept.is_empty() {
            self.kept = kept;
            self.is_full = self.kept.len() >= MAX_KEYS;
        }
    }

    /// Removes all attributes.
    #[inline]
    pub(super) fn clear(&mut self) {
        if !self.kept.is_empty() {
            self.kept.clear();
        }
        self.is_full = false;
    }

    /// Sets an attribute, replacing an earlier value. After the maximum number of keys,
    /// all attributes leave in their order: `forward` receives them.
    pub fn set(&mut self, attribute: KeyValue, mut forward: impl FnMut(KeyValue)) {
        if self.is_full {
            self.drain(&mut forward);
            forward(attribute);
            return;
        }
        let key = attribute.key.as_str();
        match self.kept.iter_mut().find(|kv| kv.key.as_str() == key) {
            Some(known) => *known = attribute,
            None => {
                if self.kept.capacity() == 0 {
                    self.kept = spare::take();
                }
                self.kept.push(attribute);
            }
        }
        self.is_full = self.kept.len() >= MAX_KEYS;
    }

    /// Returns `true` if the list has this key.
    pub fn has(&self, key: &str) -> bool {
        self.kept.iter().any(|kv| kv.key.as_str() == key)
    }

    /// Removes all attributes: `take` receives them.
    pub fn drain(&mut self, take: impl FnMut(KeyValue)) {
        let mut kept = std::mem::take(&mut self.kept);
        kept.drain(..).for_each(take);
        spare::put(kept);
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }
}

/// Empty lists that the spans of a thread use again, because most spans have attributes and an
/// allocation costs more than to set one.
mod spare {
    use std::cell::RefCell;

    use arrayvec::ArrayVec;
    use opentelemetry::KeyValue;

    /// Maximum capacity of a list that is kept, which bounds the memory.
    const MAX_CAPACITY: usize = 32;

    thread_local! {
        static LISTS: RefCell<ArrayVec<Vec<KeyValue>, 4>> = const { RefCell::new(ArrayVec::new_const()) };
    }

    pub(super) fn take() -> Vec<KeyValue> {
        // The thread may be ending.
        let spare = LISTS.try_with(|lists| lists.borrow_mut().pop());
        spare.ok().flatten().unwrap_or_default()
    }

    pub(super) fn put(list: Vec<KeyValue>) {
        if (1..=MAX_CAPACITY).contains(&list.capacity()) {
            let _full = LISTS.try_with(|lists| lists.borrow_mut().try_push(list));
        }
    }
}

/// Keeps the last value of each key, in the place of the first one.
#[doc(hidden)]
pub fn keep_last(list: &mut Vec<KeyValue>) {
    if !has_duplicates(list) {
        return;
    }
    let mut places = HashMap::new();
    for attribute in std::mem::take(list) {
        match places.get(&attribute.key) {
            Some(&place) => list[place] = attribute,
            None => {
                places.insert(attribute.key.clone(), list.len());
                list.push(attribute);
            }
        }
    }
}

fn has_duplicates(list: &[KeyValue]) -> bool {
    if list.len() > FEW {
        let mut keys = HashSet::with_capacity(list.len());
        return !list.iter().all(|kv| keys.insert(kv.key.as_str()));
    }
    let is_known = |place: usize| {
        let key = list[place].key.as_str();
        list[..place].iter().any(|kv| kv.key.as_str() == key)
    };
    (1..list.len()).any(is_known)
}

/// Like [`keep_last`], for a list of which only the last `late` attributes may repeat a
/// key.
pub(super) fn keep_last_of(list: &mut Vec<KeyValue>, late: usize) {
    let start = list.len().saturating_sub(late);
    let (first, late) = list.split_at(start);
    let is_known = |kv: &KeyValue| {
        first
            .iter()
            .any(|known| known.key.as_str() == kv.key.as_str())
    };
    if late.iter().any(is_known) {
        keep_last(list);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(attributes: &[(&'static str, i64)]) -> Vec<KeyValue> {
        attributes
            .iter()
            .map(|(key, value)| KeyValue::new(*key, *value))
            .collect()
    }

    #[test]
    fn last_value_of_each_key_is_kept_in_the_place_of_the_first() {
        let mut few = list(&[("a", 1), ("b", 2), ("a", 3), ("c", 4), ("b", 5)]);
        keep_last(&mut few);
        assert_eq!(few, list(&[("a", 3), ("b", 5), ("c", 4)]));
        let mut many: Vec<KeyValue> = (0..100)
            .map(|n| KeyValue::new((n % 40).to_string(), n))
            .collect();
        keep_last(&mut many);
        assert_eq!(many.len(), 40);
        assert_eq!(many[0], KeyValue::new("0", 80));
        assert_eq!(many[39], KeyValue::new("39", 79));
    }

    #[test]
    fn only_the_late_attributes_are_compared() {
        let mut attributes = list(&[("a", 1), ("a", 2), ("b", 3)]);
        keep_last_of(&mut attributes, 1);
        assert_eq!(attributes.len(), 3);
        attributes.push(KeyValue::new("b", 4));
        keep_last_of(&mut attributes, 1);
        assert_eq!(attributes, list(&[("a", 2), ("b", 4)]));
    }

    #[test]
    fn full_list_forwards_all_attributes_in_order() {
        let mut list = AttributeList::default();
        let mut forwarded = Vec::new();
        for n in 0..MAX_KEYS + 2 {
            list.set(KeyValue::new(n.to_string(), 1), |kv| {
                forwarded.push(kv.key.to_string())
            });
        }
        let expected: Vec<String> = (0..MAX_KEYS + 2).map(|n| n.to_string()).collect();
        assert_eq!(forwarded, expected);
        assert_eq!(list.len(), 0);
    }
}
