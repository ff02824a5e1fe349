//! Configuration errors: the location, the mistake, and the remedy.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// One mistake in a file. It never contains a secret or a value from the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, starting at 1.
    pub line: usize,
    /// The character within the line, starting at 1.
    pub column: usize,
    /// The key with its tables: `tracers.langfuse.sampling`. Empty for the file itself.
    pub key: String,
    /// The mistake and its remedy.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            key,
            message,
        } = self;
        write!(f, "{file}:{line}:{column}: ")?;
        if !key.is_empty() {
            write!(f, "{key}: ")?;
        }
        f.write_str(message)
    }
}

/// An error from reading a configuration.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// Reading the file failed.
    Read {
        /// The file.
        path: PathBuf,
        /// The error from the operating system.
        source: io::Error,
    },
    /// The file is invalid. Contains every mistake, in file order.
    Invalid(Vec<Problem>),
}

impl ConfigError {
    /// Returns the mistakes in the file. Empty if the file could not be read.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Read { .. } => &[],
            Self::Invalid(problems) => problems,
        }
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self::Invalid(vec![problem])
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, .. } => write!(
                f,
                "failed to read the configuration {}; correct the path, or write one with \
                 `spanmux init`",
                path.display()
            ),
            Self::Invalid(problems) => lines(f, problems),
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            Self::Invalid(_) => None,
        }
    }
}

/// Writes each problem on its own line.
pub(super) fn lines(f: &mut fmt::Formatter<'_>, problems: &[Problem]) -> fmt::Result {
    for (place, problem) in problems.iter().enumerate() {
        if place > 0 {
            f.write_str("\n")?;
        }
        write!(f, "{problem}")?;
    }
    Ok(())
}
