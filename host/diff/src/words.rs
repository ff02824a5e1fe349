//! Extracts the strings that a component may compare answers with from its file.
//!
//! Compilers emit string constants in five forms: as a pointer and a length in the code, as a
//! table of pointers and lengths in the data, for comparisons with short strings as integer
//! constants of two, four or eight bytes, as text that ends with a zero byte, and as UTF-16 text.
//! The numbers that a component may compare answers with are those of its code. The extraction is
//! heuristic. A wrong word does no harm, because words are only candidates.

use std::collections::BTreeSet;

use wasmparser::{ConstExpr, DataKind, FunctionBody, Operator, Parser, Payload};

/// Maximum number of words that the code points to, and again of other texts in the data.
const MOST: usize = 160;
/// Maximum length of a word in bytes.
const LONGEST: usize = 48;
/// Maximum distance between two numbers that form one word.
const NEAR: usize = 4;

/// The constants of a component that it may compare answers with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Constants {
    /// The distinct words.
    pub words: Vec<String>,
    /// The distinct integers.
    pub integers: BTreeSet<i64>,
    /// The distinct floats, as bits.
    pub floats: BTreeSet<u64>,
}

/// Returns the distinct words of a component.
pub fn words(component: &[u8]) -> Vec<String> {
    Constants::of(component).words
}

impl Constants {
    /// Reads the constants of a component. Those behind a damaged part are left out.
    pub fn of(component: &[u8]) -> Self {
        let mut found = Found::default();
        for payload in Parser::new(0).parse_all(component) {
            match payload {
                Ok(Payload::CodeSectionEntry(body)) => found.code(&body),
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
        Self {
            words: found.words(),
            integers: found.integers,
            floats: found.floats,
        }
    }
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
    integers: BTreeSet<i64>,
    floats: BTreeSet<u64>,
}

impl Found<'_> {
    fn code(&mut self, body: &FunctionBody<'_>) {
        let mut numbers = Vec::new();
        for operator in body.get_operators_reader().into_iter().flatten().flatten() {
            match operator {
                Operator::I32Const { value } => {
                    numbers.push((value as u32).into());
                    self.integers.insert(value.into());
                }
                Operator::I64Const { value } => {
                    numbers.push(value as u64);
                    self.integers.insert(value);
                }
                Operator::F64Const { value } => drop(self.floats.insert(value.bits())),
                _ => {}
            }
        }
        self.functions.push(numbers);
    }

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
        add(&mut words, compared.chain(passed).chain(tables));
        let data = || self.data.iter();
        let pointed = functions()
            .flatten()
            .filter_map(|at| self.terminated_at(*at));
        let terminated = data().flat_map(|(_, bytes)| terminated(bytes));
        let wide = data().flat_map(|(_, bytes)| wide(bytes));
        add(&mut words, pointed.chain(terminated).chain(wide));
        words
    }

    /// Returns the strings given by a pointer followed by a length.
    fn pointed_to(&self, numbers: &[u64]) -> Vec<String> {
        let pairs = numbers.windows(2);
        pairs
            .filter_map(|pair| self.text(pair[0], pair[1]))
            .collect()
    }

    /// Returns the text from this address to a zero byte. A linker may store a text as the end of
    /// another one.
    fn terminated_at(&self, pointer: u64) -> Option<String> {
        self.data.iter().find_map(|(offset, bytes)| {
            let from = usize::try_from(pointer.checked_sub(*offset)?).ok()?;
            terminated(bytes.get(from..)?.split(|byte| *byte == 0).next()?).next()
        })
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

/// Adds the first words of `more` that are not in the list yet, at most `MOST`.
fn add(words: &mut Vec<String>, more: impl Iterator<Item = String>) {
    let most = words.len() + MOST;
    for word in more {
        if words.len() == most {
            break;
        }
        if !words.contains(&word) {
            words.push(word);
        }
    }
}

/// Returns the texts in a data segment that end with a zero byte or with the segment, as in C.
/// Other compilers put texts one after the other, and such a run is not a text.
fn terminated(bytes: &[u8]) -> impl Iterator<Item = String> {
    let texts = bytes.split(|byte| *byte == 0);
    texts
        .filter(|text| (2..=LONGEST).contains(&text.len()))
        .filter_map(readable)
}

/// Returns the runs of UTF-16 text in a data segment.
fn wide(bytes: &[u8]) -> Vec<String> {
    let mut words = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        // Optimisers leave out zeros at the end of a segment, so a unit may lack its second byte.
        let units = bytes[at..].chunks(2);
        let run: Vec<u8> = units
            .take_while(|unit| unit.get(1).is_none_or(|high| *high == 0) && plain(&unit[0]))
            .map(|unit| unit[0])
            .collect();
        // A single unit is text only if the length in bytes precedes it: small numbers look alike.
        let measured = || at >= 4 && bytes[at - 4..at] == [2, 0, 0, 0];
        if run.len() > 1 || run.len() == 1 && measured() {
            words.extend(readable(&run).filter(|word| word.len() <= LONGEST));
            at += 2 * run.len();
        } else {
            at += 1;
        }
    }
    words
}

fn plain(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b" ._-/:@".contains(byte)
}

fn readable(bytes: &[u8]) -> Option<String> {
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
    fn terminated_reads_texts_between_zeros() {
        let bytes = b"\0GET /readyz\0\x01\0acme\0production";
        let words: Vec<String> = terminated(bytes).collect();
        assert_eq!(words, ["GET /readyz", "acme", "production"]);
    }

    #[test]
    fn wide_reads_utf16_text_at_any_offset() {
        let utf16 = |text: &'static str| text.encode_utf16().flat_map(u16::to_le_bytes);
        let mut bytes = vec![0x2c, 0, 0, 0, 9, 20, 0, 0, 0];
        bytes.extend(utf16("production"));
        bytes.extend([0, 0, 0, 0, 2, 0, 0, 0]);
        bytes.extend(utf16("B"));
        bytes.extend([0, 0, 7, 0, 65, 0, 0, 0]);
        bytes.extend(utf16("acme"));
        bytes.pop();
        assert_eq!(wide(&bytes), ["production", "B", "acme"]);
    }

    #[test]
    fn words_is_empty_when_file_is_not_webassembly() {
        assert!(words(b"").is_empty());
        assert!(words(b"not wasm").is_empty());
    }
}
