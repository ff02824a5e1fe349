//! Suggestions for misspelled words.

/// Minimum similarity of two words, from 0 to 1, for one to be a misspelling of the other.
const ALIKE: f64 = 0.75;

/// Returns the end of an error message: the nearest of the words, if one is similar, and all
/// valid words.
pub(super) fn hint<'a>(wrong: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    hint_among(wrong, &words, &words.join(", "))
}

/// Like [`hint`], with a different rendering of the valid words.
pub(super) fn hint_among(wrong: &str, words: &[&str], shown: &str) -> String {
    match nearest(wrong, words) {
        _ if shown.is_empty() => "; none is available".to_owned(),
        Some(near) => format!("; did you mean {near:?}? Available: {shown}"),
        None => format!("; available: {shown}"),
    }
}

fn nearest<'a>(wrong: &str, words: &[&'a str]) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    words
        .iter()
        .map(|word| (strsim::jaro_winkler(&wrong, &word.to_lowercase()), *word))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, word)| word)
}
