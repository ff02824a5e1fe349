//! Files that hold one value, such as the mounted secrets of a container.

use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::Path;

/// The maximum size of a file with one value.
const MAX_BYTES: u64 = 64 * 1024;

/// The reason why a value cannot be read. It contains no part of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    Missing,
    NotAFile,
    TooLong,
    NotText,
    Other(String),
}

/// Reads the value of a file without a byte order mark and without its final line break.
pub(super) fn read(path: &Path) -> Result<String, Unreadable> {
    // Opening a pipe would block.
    if !fs::metadata(path)?.is_file() {
        return Err(Unreadable::NotAFile);
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Unreadable::TooLong);
    }
    let text = String::from_utf8(bytes).map_err(|_| Unreadable::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let line = text.strip_suffix('\n').unwrap_or(text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

impl From<std::io::Error> for Unreadable {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::Missing,
            _ => Self::Other(error.to_string()),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str(
                "does not exist; create it, correct the path, which is relative to the \
                 configuration file, or provide a default with `${file:PATH:-DEFAULT}`",
            ),
            Self::NotAFile => f.write_str("is not a regular file; name a file with one value"),
            Self::TooLong => write!(
                f,
                "is larger than {MAX_BYTES} bytes; name a file with one value"
            ),
            Self::NotText => f.write_str("is not UTF-8 text; save it as UTF-8"),
            Self::Other(error) => write!(f, "cannot be read ({error}); correct its permissions"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn read_removes_the_final_line_break_and_bounds_the_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("value");
        let longest = "x".repeat(MAX_BYTES as usize);
        let too_long = format!("{longest}x");
        for (bytes, value) in [
            ("key", Ok("key")),
            ("key\n", Ok("key")),
            ("key\r\n", Ok("key")),
            ("key\n\n", Ok("key\n")),
            ("\u{feff}key\n", Ok("key")),
            (" key ", Ok(" key ")),
            ("", Ok("")),
            (&longest, Ok(&*longest)),
            (&too_long, Err(Unreadable::TooLong)),
        ] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(read(&path), value.map(str::to_owned));
        }
        fs::write(&path, [0xff]).unwrap();
        assert_eq!(read(&path), Err(Unreadable::NotText));
        assert_eq!(read(folder.path()), Err(Unreadable::NotAFile));
        assert_eq!(read(&folder.path().join("no")), Err(Unreadable::Missing));
    }
}
