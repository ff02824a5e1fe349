//! Mistakes in a configuration: the position, the problem and the remedy.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// A mistake in a file. It never includes a value from the environment or a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The file as it was named.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The character in the line, counted from 1.
    pub column: usize,
    /// The key with its tables, for example `tracers.langfuse.sampling`. Empty for the file itself.
    pub key: String,
    /// The problem and its remedy.
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

/// The reason why a configuration was not read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is invalid. Contains every mistake in the order of the file.
    Invalid(Vec<Problem>),
}

impl ConfigError {
    /// Returns the mistakes in the file. Empty if the file was not read.
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

/// Writes each problem on a line of its own.
pub(super) fn lines(f: &mut fmt::Formatter<'_>, problems: &[Problem]) -> fmt::Result {
    for (place, problem) in problems.iter().enumerate() {
        if place > 0 {
            f.write_str("\n")?;
        }
        write!(f, "{problem}")?;
    }
    Ok(())
}
