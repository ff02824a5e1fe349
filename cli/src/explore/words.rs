//! Extracts the strings that a component may compare answers with from its file.
//!
//! Compilers emit string constants in three forms: as a pointer and a length in the code, as a
//! table of pointers and lengths in the data, and, for comparisons with short strings, as integer
//! constants of four or eight bytes. The extraction is heuristic. A wrong word does no harm,
//! because words are only candidates.

use wasmparser::{ConstExpr, DataKind, Operator, Parser, Payload};

/// Maximum number of words.
const MOST: usize = 160;
/// Maximum length of a word in bytes.
const LONGEST: usize = 48;
/// Maximum distance between two numbers that form one word.
const NEAR: usize = 4;

/// Returns the distinct words of a component.
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
            // The rest of the file cannot be parsed.
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
    /// The data segments with their offsets in memory.
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

    /// Returns the strings given by a pointer followed by a length.
    fn pointed_to(&self, numbers: &[u64]) -> Vec<String> {
        let pairs = numbers.windows(2);
        pairs
            .filter_map(|pair| self.text(pair[0], pair[1]))
            .collect()
    }

    /// Returns the string at this address, or `None` if the bytes are not text.
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

/// Returns the words encoded in integer constants: each number on its own, and each pair of
/// nearby numbers combined. Two numbers may overlap: a compiler compares a string of seven bytes
/// as its first four and its last four bytes.
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
            // The shorter number is the end of the word.
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

/// Concatenates two strings, with an overlap written once.
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
    fn spelled_decodes_words_from_numbers() {
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
    fn words_is_empty_when_file_is_not_webassembly() {
        assert!(words(b"").is_empty());
        assert!(words(b"not wasm").is_empty());
    }
}
