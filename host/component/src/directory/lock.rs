//! The lock file: the digests of the selectors that may be live, by file name, and the tracers that
//! they may choose.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::LoadReport;
use spanmux_core::{AllowedTracers, Selector as _};

/// The version of the file format.
const VERSION: u32 = 1;

/// Sufficient for ten thousand selectors. A longer file is invalid.
const MAX_BYTES: u64 = 1 << 20;

const ALGORITHM: &str = "sha256:";
const DIGITS: usize = 64;

const HEAD: &str = "\
# The selectors that may go live, and the digest of each. `spanmux lock` writes this file.
";

/// The digests of the selectors that may be live: the content of a lock file.
///
/// The file is TOML with one line per selector, or a table if the selector may only choose the listed
/// tracers ([`AllowedTracers`]):
///
/// ```toml
/// version = 1
///
/// [selectors]
/// "50-environment.wasm" = "sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
///
/// [selectors."20-tenant.wasm"]
/// digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
/// tracers = ["tenant-*", "quarantine"]
/// ```
///
/// # Examples
/// ```no_run
/// use spanmux::{Limits, SelectorHost, SelectorsDirectory, SelectorsLock};
///
/// let host = SelectorHost::new(Limits::default())?;
/// let directory = SelectorsDirectory::new("selectors", host);
/// SelectorsLock::of(&directory.load()?).write("selectors.lock")?;
/// // From now on nothing else goes live.
/// let held = directory.with_lock("selectors.lock").load()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectorsLock {
    /// The entries by file name.
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// The SHA-256 digest in hexadecimal.
    digest: String,
    allowed: Option<AllowedTracers>,
}

/// The structure of the file.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    version: u32,
    selectors: BTreeMap<String, EntryShape>,
}

#[derive(Deserialize, Serialize)]
#[serde(
    untagged,
    expecting = "expected a digest, or a table with `digest` and `tracers`"
)]
enum EntryShape {
    Digest(String),
    Restricted(RestrictedShape),
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RestrictedShape {
    digest: String,
    tracers: Vec<String>,
}

impl SelectorsLock {
    /// Creates the lock of loaded files, with the allow-lists of their directory. Files that failed to
    /// load, or whose name is not UTF-8, are left out.
    pub fn of(report: &LoadReport) -> Self {
        let entries = report.files().iter().filter_map(|file| {
            let name = file.path.file_name()?.to_str()?;
            let selector = file.outcome.as_ref().ok()?;
            let entry = Entry {
                digest: selector.digest()?.to_owned(),
                // Of two lists, the one that was approved with the lock file.
                allowed: file.pinned.as_ref().or(file.allowed.as_ref()).cloned(),
            };
            Some((name.to_owned(), entry))
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// Sets the tracers that a listed selector may choose. A name that is not listed has no effect.
    pub fn with_allowed_tracers(mut self, file_name: &str, allowed: &AllowedTracers) -> Self {
        if let Some(entry) = self.entries.get_mut(file_name) {
            entry.allowed = Some(allowed.clone());
        }
        self
    }

    /// Reads a lock file.
    ///
    /// # Errors
    /// Returns [`LockError::Read`], or [`LockError::Invalid`] if the file has another format, lists
    /// a name that is not a selector's file name, or lists a name twice.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, LockError> {
        let path = path.as_ref();
        let read = |file: File| {
            let mut text = String::new();
            file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
            Ok(text)
        };
        let text = File::open(path).and_then(read);
        let text = text.map_err(|source| LockError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|message| LockError::Invalid {
            path: path.to_owned(),
            message,
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text.len() as u64 > MAX_BYTES {
            return Err(format!("it has more than {MAX_BYTES} bytes"));
        }
        let shape: Shape = toml::from_str(text).map_err(|error| with_line(text, &error))?;
        if shape.version != VERSION {
            let version = shape.version;
            return Err(format!("unsupported version {version}; expected {VERSION}"));
        }
        let entries = shape.selectors.into_iter().map(|(name, entry)| {
            check_name(&name)?;
            let entry = Entry::parse(&name, entry)?;
            Ok((name, entry))
        });
        Ok(Self {
            entries: entries.collect::<Result<_, String>>()?,
        })
    }

    /// Writes the lock file through a temporary file, so that no reader sees a partial one.
    ///
    /// # Errors
    /// Returns [`LockError::Write`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), LockError> {
        let path = path.as_ref();
        let failed = |source| LockError::Write {
            path: path.to_owned(),
            source,
        };
        let aside = path.with_added_extension("new");
        let write = |mut file: File| {
            file.write_all(self.to_string().as_bytes())?;
            file.sync_all()
        };
        File::create(&aside).and_then(write).map_err(failed)?;
        fs::rename(&aside, path).map_err(failed)
    }

    /// Returns the listed digest of a file name in hexadecimal.
    pub fn digest(&self, file_name: &str) -> Option<&str> {
        self.entries.get(file_name).map(|entry| &*entry.digest)
    }

    /// Returns the listed tracers that the selector with this file name may choose, or `None` if the
    /// lock does not restrict it.
    pub fn allowed_tracers(&self, file_name: &str) -> Option<&AllowedTracers> {
        self.entries.get(file_name)?.allowed.as_ref()
    }

    /// Returns the listed file names with their digests in the order of the chain.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.entries.iter();
        entries.map(|(name, entry)| (name.as_str(), entry.digest.as_str()))
    }

    /// Returns all allow-lists by file name.
    pub(super) fn all_allowed(&self) -> Vec<(&str, &AllowedTracers)> {
        let entries = self.entries.iter();
        let allowed = entries.map(|(name, entry)| Some((&**name, entry.allowed.as_ref()?)));
        allowed.flatten().collect()
    }
}

impl Entry {
    fn parse(name: &str, shape: EntryShape) -> Result<Self, String> {
        let (digest, tracers) = match shape {
            EntryShape::Digest(digest) => (digest, None),
            EntryShape::Restricted(RestrictedShape { digest, tracers }) => (digest, Some(tracers)),
        };
        let digits = digits(&digest).ok_or_else(|| {
            format!("invalid digest {digest:?}; expected `{ALGORITHM}` and {DIGITS} digits of 0-9 and a-f")
        })?;
        let allowed = tracers.map(AllowedTracers::new).transpose();
        Ok(Self {
            digest: digits.to_owned(),
            allowed: allowed.map_err(|error| format!("`tracers` of {name:?}: {error}"))?,
        })
    }

    fn shape(&self) -> EntryShape {
        let digest = format!("{ALGORITHM}{}", self.digest);
        match &self.allowed {
            None => EntryShape::Digest(digest),
            Some(allowed) => EntryShape::Restricted(RestrictedShape {
                digest,
                tracers: allowed.patterns().map(str::to_owned).collect(),
            }),
        }
    }
}

/// Formats the file as [`SelectorsLock::from_file`] reads it.
impl fmt::Display for SelectorsLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries.iter();
        let shape = Shape {
            version: VERSION,
            selectors: entries
                .map(|(name, entry)| (name.clone(), entry.shape()))
                .collect(),
        };
        let text = toml::to_string(&shape).map_err(|_| fmt::Error)?;
        write!(f, "{HEAD}{text}")
    }
}

/// Formats an error with its line.
fn with_line(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = 1 + before.unwrap_or_default().matches('\n').count();
    format!("line {line}: {}", error.message())
}

/// Checks that a name is a possible file name of the directory, and not a path to another place.
fn check_name(name: &str) -> Result<(), String> {
    let path = Path::new(name);
    let plain = path.file_name().is_some_and(|file| file == name);
    let wasm = path.extension().is_some_and(|ending| ending == "wasm");
    if plain && wasm && !name.starts_with('.') {
        Ok(())
    } else {
        Err(format!(
            "{name:?} is not a selector file name such as `10-tenant.wasm`"
        ))
    }
}

fn digits(digest: &str) -> Option<&str> {
    let digits = digest.strip_prefix(ALGORITHM)?;
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (digits.len() == DIGITS && digits.bytes().all(is_digit)).then_some(digits)
}

/// The reason why a lock file was not read or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum LockError {
    /// The file could not be read.
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is not a valid lock file.
    Invalid {
        /// The path of the file.
        path: PathBuf,
        /// The problem.
        message: String,
    },
    /// The file could not be written.
    Write {
        /// The intended path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, .. } => write!(
                f,
                "failed to read the lock file {0}; write it with `spanmux lock DIR --out {0}`",
                path.display()
            ),
            Self::Invalid { path, message } => write!(
                f,
                "invalid lock file {0}: {message}; write it again with `spanmux lock DIR --out {0}`",
                path.display()
            ),
            Self::Write { path, .. } => write!(
                f,
                "failed to write the lock file {}; name a file in an existing, writable directory",
                path.display()
            ),
        }
    }
}

impl std::error::Error for LockError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } => Some(source),
            Self::Invalid { .. } => None,
        }
    }
}
