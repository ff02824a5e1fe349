//! Suggestions for misspelled words.

/// Minimum similarity of two words, from 0 to 1, for one to be a misspelling of the other.
const ALIKE: f64 = 0.75;

/// The similarity of two words of which one begins with the other, such as `golang` and `go`.
const BEGINS: f64 = 0.99;

/// Returns the end of an error message: the nearest of the words, if one is similar, and all
/// valid words.
pub(super) fn hint<'a>(wrong: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    hint_among(wrong, &words, &words.join(", "))
}

/// Like [`hint`], with a different rendering of the valid words.
pub(super) fn hint_among(wrong: &str, words: &[&str], shown: &str) -> String {
    match nearest(wrong, words.iter().copied()) {
        _ if shown.is_empty() => "; none is available".to_owned(),
        Some(near) => format!("; did you mean {near:?}? Available: {shown}"),
        None => format!("; available: {shown}"),
    }
}

/// Returns the known word that is most similar to `word`, or `None` if none is similar enough.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let like = |known: &'a str| (similarity(&word, &known.to_lowercase()), known);
    let alike = known.into_iter().map(like);
    alike
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

fn similarity(a: &str, b: &str) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let alike = strsim::jaro_winkler(a, b);
    if a.starts_with(b) || b.starts_with(a) {
        alike.max(BEGINS)
    } else {
        alike
    }
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
            ("pyth", Some("python")),
            ("rst", Some("rust")),
            ("cobol", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, ["go", "python", "rust", ""]), meant, "{word}");
        }
        for (word, known, meant) in [
            ("langfues", ["langfuse", "langsmith"], Some("langfuse")),
            ("servise", ["service", "selectors"], Some("service")),
            ("max", ["max_bytes", "keep"], Some("max_bytes")),
            ("colour", ["default", "tracers"], None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
