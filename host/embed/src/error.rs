//! The errors of a policy.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use spanmux_component::{DirectoryError, HostError, LoadError};
use spanmux_config::{ConfigBuildError, ConfigError};
use spanmux_core::{RegisterError, UnknownTracerError};

/// The reason why a policy could not be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum PolicyError {
    /// Nothing exists at this path.
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// The path is neither a directory, nor a component, nor a configuration file.
    Unknown {
        /// The path.
        path: PathBuf,
    },
    /// A setting has no effect for this kind of path.
    NotApplicable {
        /// The name of the setting.
        setting: &'static str,
        /// The reason, and where to set it.
        problem: &'static str,
    },
    /// The configuration file leaves a tracer to the program, which has not provided it.
    NotProvided {
        /// The path of the file.
        path: PathBuf,
        /// The name of the tracer.
        tracer: String,
    },
    /// The system refused the thread that delivers events.
    Thread(std::io::Error),
    /// This machine cannot run components within the limits.
    Host(HostError),
    /// The directory cannot be read.
    Directory(DirectoryError),
    /// The component cannot be loaded.
    Component {
        /// The path of its file.
        path: PathBuf,
        /// The error.
        error: LoadError,
    },
    /// The configuration file has mistakes; all of them are listed.
    Config(ConfigError),
    /// The selectors of the configuration file cannot be loaded.
    Selectors(ConfigBuildError),
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(f, "nothing exists at {}", path.display()),
            Self::Unknown { path } => write!(
                f,
                "{} is neither a directory of selectors, nor a component (.wasm), nor a \
                 configuration file (.toml, .json)",
                path.display()
            ),
            Self::NotApplicable { setting, problem } => {
                write!(f, "the setting {setting} has no effect here: {problem}")
            }
            Self::NotProvided { path, tracer } => write!(
                f,
                "{}: the tracer {tracer:?} has the type \"provided\", but the program does not \
                 provide it",
                path.display()
            ),
            Self::Thread(_) => f.write_str(
                "this process gets no thread for the events; end some threads or raise its limit",
            ),
            Self::Host(error) => error.fmt(f),
            Self::Directory(error) => error.fmt(f),
            Self::Component { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Config(error) => error.fmt(f),
            Self::Selectors(error) => error.fmt(f),
        }
    }
}

impl Error for PolicyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // `Display` already includes the message of the wrapped error.
        match self {
            Self::Missing { .. }
            | Self::Unknown { .. }
            | Self::NotApplicable { .. }
            | Self::NotProvided { .. } => None,
            Self::Thread(error) => Some(error),
            Self::Host(error) => error.source(),
            Self::Directory(error) => error.source(),
            Self::Component { error, .. } => error.source(),
            Self::Config(error) => error.source(),
            Self::Selectors(error) => error.source(),
        }
    }
}

/// The reason why a list of tracers is refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum TracersError {
    /// A name is invalid, or the list exceeds a limit.
    Name(RegisterError),
    /// The default or the fallback tracer is not in the list.
    Unknown {
        /// `"default"` or `"fallback"`.
        role: &'static str,
        /// The error with the known names.
        error: UnknownTracerError,
    },
}

impl fmt::Display for TracersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Unknown { role, error } => write!(f, "the {role} tracer: {error}"),
        }
    }
}

impl Error for TracersError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Name(error) => error.source(),
            Self::Unknown { error, .. } => error.source(),
        }
    }
}
