//! The status of a watched directory as JavaScript objects.

use napi_derive::napi;
use spanmux_component::{WatchStatus, WatchedFile};

/// The status of a watched directory.
#[napi(object, object_from_js = false)]
pub struct PolicyStatus {
    pub files: Vec<FileStatus>,
    pub trouble: Option<String>,
    pub loads: f64,
    pub refusals: f64,
    pub events: bool,
}

/// The status of a file in it.
#[napi(object, object_from_js = false)]
pub struct FileStatus {
    pub name: String,
    pub path: String,
    pub digest: Option<String>,
    pub refused: Option<String>,
    pub suspended: Option<String>,
}

impl From<WatchStatus> for PolicyStatus {
    fn from(status: WatchStatus) -> Self {
        Self {
            files: status.files.into_iter().map(FileStatus::from).collect(),
            trouble: status.trouble.map(|trouble| trouble.reason),
            loads: status.loads as f64,
            refusals: status.refusals as f64,
            events: status.events,
        }
    }
}

impl From<WatchedFile> for FileStatus {
    fn from(file: WatchedFile) -> Self {
        Self {
            name: file.name,
            path: file.path.display().to_string(),
            digest: file.active.map(|active| active.digest),
            refused: file.refused.map(|refused| refused.reason),
            suspended: file.suspended.map(|suspended| suspended.reason),
        }
    }
}
