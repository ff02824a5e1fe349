//! What somebody meant who wrote a word that there is not.

/// Words that are less alike are not what was meant. As clap has it, whose words
/// stand beside ours.
const ALIKE: f64 = 0.7;

/// The one of these that is most like `word`, if one is.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let like = |known: &'a str| {
        // `golang` means `go`, which has few letters to be alike in.
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
    fn a_word_that_is_nearly_right_is_found() {
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
