//! The right word that a wrong one was meant to be.

/// How alike two words must be, from 0 to 1, for one to be a slip of the other.
const ALIKE: f64 = 0.75;

/// Which of the words is near, if one is, and which there are. It follows upon what
/// is wrong.
pub(super) fn hint<'a>(wrong: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    hint_among(wrong, &words, &words.join(", "))
}

/// The same, where the words are shown otherwise.
pub(super) fn hint_among(wrong: &str, words: &[&str], shown: &str) -> String {
    match nearest(wrong, words) {
        _ if shown.is_empty() => "; there is none".to_owned(),
        Some(near) => format!("; did you mean {near:?}? There are: {shown}"),
        None => format!("; there are: {shown}"),
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
