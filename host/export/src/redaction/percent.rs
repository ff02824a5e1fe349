//! Decodes texts in which the signs of fields are percent-encoded, such as JSON in the query
//! of a URL.

use std::ops::Range;

use super::steps;

/// A text whose escapes of ASCII characters are decoded.
pub(super) struct Decoded {
    pub(super) text: String,
    /// The place of each byte in the original text, and its length.
    places: Vec<usize>,
}

impl Decoded {
    /// Returns the range of the original text for a range of the decoded one.
    pub(super) fn original(&self, range: Range<usize>) -> Range<usize> {
        self.places[range.start]..self.places[range.end]
    }
}

/// Decodes a text, or returns `None` if no quote, colon or equals sign in it is encoded. Other
/// texts are examined as they are.
pub(super) fn decode(text: &str) -> Option<Decoded> {
    let bytes = text.as_bytes();
    let mut escapes = text.match_indices('%');
    if !escapes.any(|(at, _)| matches!(escaped(bytes, at), Some(b'"' | b'\'' | b':' | b'='))) {
        return None;
    }
    steps::count(bytes.len());
    let mut decoded = Decoded {
        text: String::with_capacity(text.len()),
        places: Vec::with_capacity(text.len() + 1),
    };
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let (c, length) = match escaped(bytes, at) {
            Some(ascii) => (char::from(ascii), 3),
            None => (c, c.len_utf8()),
        };
        decoded.text.push(c);
        decoded
            .places
            .extend((0..c.len_utf8()).map(|byte| at + byte));
        at += length;
    }
    decoded.places.push(at);
    Some(decoded)
}

/// Returns the ASCII character whose escape is at `at`.
fn escaped(bytes: &[u8], at: usize) -> Option<u8> {
    let [b'%', high, low] = *bytes.get(at..at + 3)? else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    byte.is_ascii().then_some(byte)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn original_returns_the_place_of_each_range() {
        let text = "é=%7B%22a%22%3a1%7D%zz%e9";
        let decoded = decode(text).unwrap();
        assert_eq!(decoded.text, "é={\"a\":1}%zz%e9");
        let one = decoded.text.find('1').unwrap();
        assert_eq!(&text[decoded.original(one..one + 1)], "1");
        assert_eq!(decoded.original(0..decoded.text.len()), 0..text.len());
    }

    #[test]
    fn decode_ignores_texts_without_encoded_signs() {
        assert!(decode("100%").is_none());
        assert!(decode("a%20b=c").is_none());
    }
}
