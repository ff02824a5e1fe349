//! The errors of a component's file, each with its remedy.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::text::printable;

/// The reason why a component was not loaded. The message includes the remedy. The caller adds the
/// name of the file.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// The file could not be read.
    Read(io::Error),
    /// The file is larger than [`Limits::component_bytes`](crate::Limits).
    TooLarge {
        /// The size of the file in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// The file does not begin with the WebAssembly magic number.
    NotWasm,
    /// A core module instead of a component.
    CoreModule,
    /// A truncated or otherwise damaged component.
    Malformed {
        /// The message of the parser or the validator.
        message: String,
    },
    /// The component does not export a selection.
    NoSelection {
        /// The exports that it has.
        exports: Vec<String>,
    },
    /// A selector for another version of the contract.
    OtherVersion {
        /// The version that it was built for.
        found: String,
        /// The version of this host.
        host: &'static str,
    },
    /// An import that selectors do not receive.
    Import {
        /// The name of the import.
        name: String,
    },
    /// The component does not match the host's linker: it imports a function that this host lacks,
    /// or its signature differs from the contract.
    Link {
        /// The message of the linker.
        message: String,
    },
    /// The component declares more than a [`Limits`](crate::Limits) field allows.
    Declares {
        /// The declared resource with its number.
        what: String,
        /// The limit with its unit.
        limit: String,
    },
    /// The component could not be compiled.
    Compile {
        /// The message of the compiler.
        message: String,
    },
    /// The component trapped or exhausted a budget before the first question.
    StartUp {
        /// The failure.
        message: String,
    },
    /// The component was not loaded in time. Only a watched directory has such a limit.
    TooSlow {
        /// The time limit.
        limit: Duration,
    },
    /// The digest differs from the one that the lock file lists for this name. Nothing was parsed.
    DigestMismatch {
        /// The SHA-256 digest of the bytes in hexadecimal.
        found: String,
        /// The listed digest, or `None` if the name is not listed.
        wanted: Option<String>,
        /// The path of the lock file.
        lock: PathBuf,
    },
    /// The lock file lists a file that does not exist.
    Missing {
        /// The path of the lock file.
        lock: PathBuf,
    },
    /// The host had no free sandbox to try the component.
    Host {
        /// The failure.
        message: String,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The cause is available as the source.
            Self::Read(_) => f.write_str("the file could not be read"),
            Self::TooLarge { bytes, limit } => write!(
                f,
                "the file has {bytes} bytes and a component may have {limit}; strip it, or raise \
                 `Limits::component_bytes`"
            ),
            Self::NotWasm => f.write_str(
                "the file is not WebAssembly; build a selector with `spanmux build`, or with your \
                 language's component tools against wit/",
            ),
            Self::CoreModule => f.write_str(
                "the file is a core module and not a component; `spanmux build` makes one, or \
                 `wasm-tools component new MODULE -o SELECTOR.wasm`",
            ),
            Self::Malformed { message } => write!(
                f,
                "the component is broken or cut off ({}); build or copy it again",
                shown(message)
            ),
            Self::NoSelection { exports } => {
                write!(
                    f,
                    "the component does not export `{}@{}`, so it is no selector; it exports {}. \
                     Build it for the world `selector` in wit/",
                    super::contract::SELECTION,
                    super::contract::VERSION,
                    list(exports)
                )
            }
            Self::OtherVersion { found, host } => write!(
                f,
                "the selector was built for version {} of the contract and this host speaks \
                 {host}; build it against the host's wit/",
                shown(found)
            ),
            Self::Import { name } => write!(
                f,
                "the selector imports `{}`, which selectors are not given; remove what needs it, \
                 or build without it (Rust for wasm32-unknown-unknown, Python with --stub-wasi, \
                 JavaScript with --disable all)",
                shown(name)
            ),
            Self::Link { message } => write!(
                f,
                "the selector does not fit the contract of this host: {}; build it against the \
                 host's wit/",
                shown(message)
            ),
            Self::Declares { what, limit } => write!(
                f,
                "the selector declares {what} and may have {limit}; build it with less, or raise \
                 the limit"
            ),
            Self::Compile { message } => {
                write!(f, "the component cannot be compiled: {}", shown(message))?;
                if message.contains("async") {
                    f.write_str(
                        "; a selector's export is lifted synchronously, so build it without async \
                         (`--sync`)",
                    )?;
                } else if names_a_feature(message) {
                    f.write_str(
                        "; selectors are not given this feature of WebAssembly, so build without \
                         it",
                    )?;
                }
                Ok(())
            }
            Self::StartUp { message } => write!(
                f,
                "the selector does not start: {}; a start-up may not ask the runtime context, and \
                 has the budget of one decision",
                shown(message)
            ),
            Self::TooSlow { limit } => write!(
                f,
                "the selector was not loaded within {} ms; build it smaller or optimised, or raise \
                 `WatchSettings::load_time`",
                limit.as_millis()
            ),
            Self::DigestMismatch {
                found,
                wanted,
                lock,
            } => {
                let lock = lock.display();
                write!(f, "its digest is sha256:{found}, and {lock} ")?;
                match wanted {
                    Some(wanted) => write!(f, "lists sha256:{wanted} for it")?,
                    None => f.write_str("does not list its name")?,
                }
                write!(
                    f,
                    "; if it may go live, write the lock anew with `spanmux lock DIR --out {lock}`"
                )
            }
            Self::Missing { lock } => {
                let lock = lock.display();
                write!(
                    f,
                    "{lock} lists it and it is not there; put it back, or write the lock anew with \
                     `spanmux lock DIR --out {lock}`"
                )
            }
            Self::Host { message } => {
                write!(
                    f,
                    "the host could not try the selector: {message}; try again"
                )
            }
        }
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(error) => Some(error),
            _ => None,
        }
    }
}

/// Returns `true` if the validator refused a feature that the engine supports and selectors may not
/// use.
pub(super) fn names_a_feature(message: &str) -> bool {
    let words = [
        "feature",
        "proposal",
        "enabled",
        "support",
        "disabled",
        "disallowed",
        "references required",
        "multiple memories",
    ];
    words.iter().any(|word| message.contains(word))
}

/// Maximum number of names from a file in a message.
const LISTED: usize = 8;
/// Maximum number of characters of a file's own text in a message.
const SHOWN: usize = 256;

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let listed = names.iter().take(LISTED);
    let mut list: Vec<String> = listed.map(|name| format!("`{}`", shown(name))).collect();
    if names.len() > LISTED {
        list.push(format!("and {} more", names.len() - LISTED));
    }
    list.join(", ")
}

/// Formats text from a file on one line with a bounded length. A file is untrusted, and its names
/// are read before anything is checked.
fn shown(text: &str) -> String {
    let mut line = printable(text.chars().take(SHOWN));
    if text.chars().nth(SHOWN).is_some() {
        line.push('…');
    }
    line
}
