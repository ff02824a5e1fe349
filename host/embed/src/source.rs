//! The kinds of paths that a policy can be opened from.

use std::path::Path;

use super::PolicyError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Directory,
    Component,
    Config,
}

impl Source {
    pub(crate) fn of(path: &Path) -> Result<Self, PolicyError> {
        let extension = path.extension().and_then(|it| it.to_str());
        if path.is_dir() {
            return Ok(Self::Directory);
        }
        let path = || path.to_owned();
        match extension {
            _ if !path().exists() => Err(PolicyError::Missing { path: path() }),
            Some("wasm") => Ok(Self::Component),
            Some("toml" | "json") => Ok(Self::Config),
            _ => Err(PolicyError::Unknown { path: path() }),
        }
    }
}
