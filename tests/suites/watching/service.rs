//! A service with a watched selectors directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use spanmux::{
    Cause, Origin, RuntimeContext, Selector as _, SelectorHost, SelectorsDirectory, TracerRegistry,
    WatchSettings, WatchStatus, WatchedDirectory, WatchedFile,
};
use spanmux_tests::{TRACERS, component, host_within, limits, text};
use tempfile::TempDir;

/// Far longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Returns settings with short intervals. The suites wait for counters, not for times.
pub(crate) fn quick() -> WatchSettings {
    WatchSettings::default()
        .rescan_interval(Duration::from_millis(50))
        .debounce(Duration::from_millis(20))
        .max_debounce(Duration::from_millis(200))
}

/// A watched directory and a registry that uses its chain.
pub(crate) struct Service {
    pub(crate) folder: TempDir,
    pub(crate) host: SelectorHost,
    pub(crate) registry: Arc<TracerRegistry<()>>,
    pub(crate) watched: WatchedDirectory,
}

impl Service {
    pub(crate) fn start(settings: WatchSettings, files: &[(&str, &[u8])]) -> Self {
        Self::start_as(settings, files, |directory, _| directory)
    }

    /// Starts a service like `start`, after `made` has adjusted the directory. `made` receives the
    /// directory and the folder that contains it.
    pub(crate) fn start_as(
        settings: WatchSettings,
        files: &[(&str, &[u8])],
        made: impl FnOnce(SelectorsDirectory, &Path) -> SelectorsDirectory,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("live")).unwrap();
        for (name, bytes) in files {
            fs::write(folder.path().join("live").join(name), bytes).unwrap();
        }
        let registry = Arc::new(TracerRegistry::new());
        for name in TRACERS {
            registry.register(name, ()).unwrap();
        }
        let host = host_within(limits().selectors(8));
        let live = registry.clone();
        let directory = SelectorsDirectory::new(folder.path().join("live"), host.clone());
        let watched = made(directory, folder.path())
            .watch_with(settings, move |selectors| {
                live.set_selectors(selectors);
            })
            .unwrap();
        Self {
            folder,
            host,
            registry,
            watched,
        }
    }

    pub(crate) fn live(&self) -> PathBuf {
        self.folder.path().join("live")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.live().join(name)
    }

    /// Replaces a file atomically, as a careful deployment does.
    pub(crate) fn move_in(&self, name: &str, bytes: &[u8]) {
        let aside = self.folder.path().join("aside");
        fs::write(&aside, bytes).unwrap();
        fs::rename(aside, self.file(name)).unwrap();
    }

    pub(crate) fn until(&self, wanted: impl Fn(&WatchStatus) -> bool) -> WatchStatus {
        let status = self.watched.wait_until(PATIENCE, wanted);
        status.unwrap_or_else(|| panic!("never: {:#?}", self.watched.status()))
    }

    /// Waits for `more` further scans.
    pub(crate) fn looks(&self, more: u64) -> WatchStatus {
        let before = self.watched.status().looks;
        self.until(|status| status.looks >= before + more)
    }

    pub(crate) fn tracer(&self) -> String {
        let context = RuntimeContext::builder().build();
        let selection = self.registry.select(&context.view());
        selection.tracer_name().unwrap().to_owned()
    }

    /// Returns the selected tracer, or `None` if the decision failed.
    pub(crate) fn chosen(&self) -> Option<String> {
        (!self.failed()).then(|| self.tracer())
    }

    /// Returns `true` if the decision failed. An abstention is not a failure.
    fn failed(&self) -> bool {
        let context = RuntimeContext::builder().build();
        let selection = self.registry.select(&context.view());
        selection
            .fallback()
            .is_some_and(|fallback| fallback.cause() == Cause::Unavailable)
    }

    pub(crate) fn origin(&self) -> Origin {
        let context = RuntimeContext::builder().build();
        self.registry.select(&context.view()).origin()
    }

    pub(crate) fn fallback(&self) -> bool {
        let context = RuntimeContext::builder().build();
        self.registry
            .select(&context.view())
            .reason()
            .cause()
            .is_some()
    }
}

/// Returns a selector that always answers this tracer, `console` or `datadog`, in one of many
/// versions.
pub(crate) fn answers(tracer: &str, version: u32) -> Vec<u8> {
    let text = text("guests", "console").replace("00console\"", &format!("00{tracer}\""));
    let mut bytes = component(&text);
    // A custom section named `v`.
    bytes.extend([0, 6, 1, b'v']);
    bytes.extend(version.to_le_bytes());
    bytes
}

pub(crate) fn active(status: &WatchStatus, name: &str) -> Option<String> {
    Some(status.file(name)?.active.as_ref()?.digest.clone())
}

pub(crate) fn refused(file: &WatchedFile) -> &str {
    file.refused.as_ref().map_or("", |refused| &refused.reason)
}

/// Returns the digest of a component by loading it.
pub(crate) fn digest(host: &SelectorHost, bytes: &[u8]) -> String {
    let selector = host.load("any", bytes).unwrap();
    selector.digest().unwrap().to_owned()
}
