//! Suggestions for misspelled words.

/// Minimum similarity of a suggestion. The same value as in clap, whose suggestions appear next
/// to ours.
const ALIKE: f64 = 0.7;

/// Returns the known word that is most similar to `word`, or `None` if none is similar enough.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let like = |known: &'a str| {
        // Suggests `go` for `golang`, although the two are not similar enough.
        let begins = !word.is_empty() && (word.starts_with(known) || known.starts_with(&word));
        let alike = strsim::jaro(&word, known);
        (if begins { alike.max(0.99) } else { alike }, known)
    };
    let best = known.into_iter().map(like);
    best.filter(|(alike, _)| *alike > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_a_misspelled_word() {
        for (word, meant) in [
            ("pyton", Some("python")),
            ("Python", Some("python")),
            ("golang", Some("go")),
            ("rst", Some("rust")),
            ("cobol", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, ["go", "python", "rust"]), meant, "{word}");
        }
    }
}
