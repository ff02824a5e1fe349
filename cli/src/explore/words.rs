//! Texts that a component may compare an answer with, read from its file.
//!
//! A compiler leaves them in three ways: as a pointer and a length in the code, as a
//! table of both in the data, and, for a short text that is compared, as the very
//! numbers that its bytes make, four or eight at a time. Nothing here is certain, and
//! nothing needs to be: a word is only tried.

use wasmparser::{ConstExpr, DataKind, Operator, Parser, Payload};

/// How many words are tried at most.
const MOST: usize = 160;
/// The longest word, in bytes.
const LONGEST: usize = 48;
/// A number that continues a word stands at most so many numbers after it.
const NEAR: usize = 4;

/// The words of a component, each once.
pub(crate) fn words(component: &[u8]) -> Vec<String> {
    let mut found = Found::default();
    for payload in Parser::new(0).parse_all(component) {
        match payload {
            Ok(Payload::CodeSectionEntry(body)) => {
                let numbers = body.get_operators_reader().map(|operators| {
                    let numbers = operators.into_iter().filter_map(|operator| match operator {
                        Ok(Operator::I32Const { value }) => Some((value as u32).into()),
                        Ok(Operator::I64Const { value }) => Some(value as u64),
                        _ => None,
                    });
                    numbers.collect()
                });
                found.functions.extend(numbers);
            }
            Ok(Payload::DataSection(segments)) => {
                for segment in segments.into_iter().flatten() {
                    if let DataKind::Active { offset_expr, .. } = &segment.kind {
                        let offset = offset(offset_expr).unwrap_or_default();
                        found.data.push((offset, segment.data));
                    }
                }
            }
            // What is left of the file is not understood.
            Err(_) => break,
            Ok(_) => {}
        }
    }
    found.words()
}

fn offset(expression: &ConstExpr<'_>) -> Option<u64> {
    match expression.get_operators_reader().read() {
        Ok(Operator::I32Const { value }) => Some((value as u32).into()),
        _ => None,
    }
}

#[derive(Default)]
struct Found<'a> {
    /// The numbers of each function, in order.
    functions: Vec<Vec<u64>>,
    /// Segments of memory and where they lie.
    data: Vec<(u64, &'a [u8])>,
}

impl Found<'_> {
    fn words(&self) -> Vec<String> {
        let functions = || self.functions.iter();
        let compared = functions().flat_map(|numbers| spelled(numbers));
        let passed = functions().flat_map(|numbers| self.pointed_to(numbers));
        let tables = self.data.iter().flat_map(|(_, bytes)| {
            let words = bytes.chunks_exact(4);
            let words = words.map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]));
            self.pointed_to(&words.map(u64::from).collect::<Vec<u64>>())
        });
        let mut words = Vec::new();
        for word in compared.chain(passed).chain(tables) {
            if words.len() == MOST {
                break;
            }
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words
    }

    /// The texts at which a number points if the next one is their length.
    fn pointed_to(&self, numbers: &[u64]) -> Vec<String> {
        let pairs = numbers.windows(2);
        pairs
            .filter_map(|pair| self.text(pair[0], pair[1]))
            .collect()
    }

    /// The text that lies there, if it is one.
    fn text(&self, pointer: u64, length: u64) -> Option<String> {
        let length = usize::try_from(length).ok()?;
        if length == 0 || length > LONGEST {
            return None;
        }
        self.data.iter().find_map(|(offset, bytes)| {
            let from = usize::try_from(pointer.checked_sub(*offset)?).ok()?;
            readable(bytes.get(from..from.checked_add(length)?)?)
        })
    }
}

fn readable(bytes: &[u8]) -> Option<String> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b" ._-/:@".contains(byte);
    let word = bytes.iter().all(plain) && bytes.iter().any(u8::is_ascii_alphanumeric);
    word.then(|| String::from_utf8_lossy(bytes).into_owned())
}

/// The words that numbers spell: each by itself, and one continued by another that
/// stands near it. A compiler reads the end of a text of seven bytes as four that
/// overlap with the first four, so two may share letters.
fn spelled(numbers: &[u64]) -> Vec<String> {
    let pieces: Vec<Option<String>> = numbers.iter().map(|number| piece(*number)).collect();
    let mut words = Vec::new();
    for (place, first) in pieces.iter().enumerate() {
        let Some(first) = first.as_ref().filter(|first| first.len() > 1) else {
            continue;
        };
        words.push(first.clone());
        let near = pieces[place + 1..].iter().take(NEAR).flatten();
        for next in near {
            // The shorter one is the end.
            if matches!(first.len(), 4 | 8) && next.len() <= first.len() {
                words.push(joined(first, next));
                words.push(format!("{first}{next}"));
            }
            if matches!(next.len(), 4 | 8) && first.len() <= next.len() {
                words.push(joined(next, first));
                words.push(format!("{next}{first}"));
            }
        }
    }
    words
}

fn piece(number: u64) -> Option<String> {
    let bytes = number.to_le_bytes();
    let length = 8 - number.leading_zeros() as usize / 8;
    readable(&bytes[..length])
}

/// One after the other, with the letters that both have once.
fn joined(first: &str, next: &str) -> String {
    let shared = (1..next.len())
        .rev()
        .find(|&shared| first.ends_with(&next[..shared]));
    format!("{first}{}", &next[shared.unwrap_or_default()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> u64 {
        let bytes = text.bytes().rev();
        bytes.fold(0, |number, byte| number << 8 | u64::from(byte))
    }

    #[test]
    fn numbers_spell_words() {
        for (pieces, word) in [
            (&["acme"][..], "acme"),
            (&["umbrella"], "umbrella"),
            (&["producti", "on"], "production"),
            (&["on", "producti"], "production"),
            (&["stag", "ging"], "staging"),
            (&["developm", "ment"], "development"),
            (&["hool", "i"], "hooli"),
            (&["eu"], "eu"),
        ] {
            let numbers: Vec<u64> = pieces.iter().map(|piece| number(piece)).collect();
            let words = spelled(&numbers);
            assert!(words.iter().any(|found| found == word), "{word}: {words:?}");
        }
        assert!(spelled(&[0, 1, 16, 48, 1_048_576]).is_empty());
    }

    #[test]
    fn a_file_that_is_none_has_no_words() {
        assert!(words(b"").is_empty());
        assert!(words(b"not wasm").is_empty());
    }
}
