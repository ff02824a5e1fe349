//! A temporary folder with a configuration file.

use std::path::PathBuf;

use spanmux::config::{Config, ConfigBuildError, ConfigBuilder, ConfigError};
use tempfile::TempDir;

/// A temporary folder for one test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Reads a file with this text. The variable `SECRET` is the only one set.
    pub(crate) fn read(&self, name: &str, text: &str) -> Result<Config, ConfigError> {
        Config::from_file_with(self.write(name, text), |variable| {
            (variable == "SECRET").then(|| "hush-hush".to_owned())
        })
    }

    pub(crate) fn builder(&self, text: &str) -> ConfigBuilder {
        self.read("spanmux.toml", text).unwrap().builder()
    }

    /// Removes the path of this folder from a message.
    pub(crate) fn shown(&self, message: impl ToString) -> String {
        let folder = format!("{}/", self.0.path().display());
        message.to_string().replace(&folder, "")
    }

    /// Returns the message of the expected build error.
    pub(crate) fn fails(&self, builder: ConfigBuilder) -> String {
        let error: ConfigBuildError = builder.build().expect_err("a mistake");
        self.shown(error)
    }
}
