//! The smallest context that shows a difference.

use crate::joint::Entries;

/// Removes each key without which `shows` still holds, until every key is needed.
pub(crate) fn smallest(mut entries: Entries, mut shows: impl FnMut(&Entries) -> bool) -> Entries {
    let mut keys: Vec<String> = entries.keys().cloned().collect();
    loop {
        let before = entries.len();
        for key in std::mem::take(&mut keys) {
            let mut fewer = entries.clone();
            fewer.remove(&key);
            if shows(&fewer) {
                entries = fewer;
            } else {
                keys.push(key);
            }
        }
        if entries.len() == before {
            return entries;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_keeps_only_needed_keys() {
        let all = Entries::from_iter(["a", "b", "c"].map(|key| (key.to_owned(), 1.into())));
        let needs = |entries: &Entries| entries.contains_key("b") && entries.len() != 2;
        assert_eq!(smallest(all.clone(), |entries| needs(entries)).len(), 3);
        let small = smallest(all, |entries| entries.contains_key("c"));
        assert_eq!(small.keys().collect::<Vec<_>>(), ["c"]);
    }
}
