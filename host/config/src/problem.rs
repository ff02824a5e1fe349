//! What is wrong with a configuration: where, what, and what would be right.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// One mistake in a file. No value from the environment and no secret is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// Its line, from 1 on.
    pub line: usize,
    /// The character of the line, from 1 on.
    pub column: usize,
    /// The key with the tables that it stands in: `tracers.langfuse.sampling`.
    /// Empty if it is the file itself.
    pub key: String,
    /// What was found, and what to do.
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

/// Why a configuration was not read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is wrong. All that was found, in the order of the file.
    Invalid(Vec<Problem>),
}

impl ConfigError {
    /// The mistakes in the file; none if it was not read at all.
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
                "the configuration {} cannot be read; name the right file, or write one with \
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

/// Each on a line of its own.
pub(super) fn lines(f: &mut fmt::Formatter<'_>, problems: &[Problem]) -> fmt::Result {
    for (place, problem) in problems.iter().enumerate() {
        if place > 0 {
            f.write_str("\n")?;
        }
        write!(f, "{problem}")?;
    }
    Ok(())
}
