//! Base64 as other programs write it.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Decodes text without padding in either alphabet. The text may have been cut off: a last
/// character that is not enough for a byte is ignored.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let standard = |byte: &u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => *other,
    };
    let mut text: Vec<u8> = text.iter().map(standard).collect();
    if text.len() % 4 == 1 {
        // It must be valid all the same.
        let last = text.pop()?;
        let is_digit = last.is_ascii_alphanumeric() || b"+/".contains(&last);
        is_digit.then_some(())?;
    }
    LENIENT.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn decode_accepts_both_alphabets_and_text_that_was_cut_off() {
        let rows: [(&str, Option<&[u8]>); 9] = [
            ("", Some(b"")),
            ("dXNlcjpwYXNz", Some(b"user:pass")),
            ("dXNlcjpwYXN", Some(b"user:pas")),
            ("dXNlcjpwYX", Some(b"user:pa")),
            ("dXNlcjpwY", Some(b"user:p")),
            ("+/-_", Some(b"\xfb\xff\xbf")),
            ("dXNl.", None),
            ("dX=l", None),
            ("dXé", None),
        ];
        for (text, expected) in rows {
            assert_eq!(decode(text.as_bytes()).as_deref(), expected, "{text}");
        }
    }
}
