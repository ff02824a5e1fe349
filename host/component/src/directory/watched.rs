//! The files of a watched directory: new, stable and live ones.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::fingerprint::FileFingerprint;
use super::loader::{Attempt, Job, Loader};
use super::status::{ActiveSelector, Refusal, WatchedFile};
use super::verify::DigestCheck;
use super::{LoadedFile, SelectorsDirectory};
use crate::{LoadError, SelectorEvent};
use spanmux_core::Selector;

/// All files by path, in the order of the chain.
#[derive(Default)]
pub(super) struct Files {
    known: BTreeMap<PathBuf, File>,
    pins: DigestCheck,
    /// `true` if allow-lists changed since the last scan.
    relisted: bool,
}

/// The result of one scan.
#[derive(Default)]
pub(super) struct Found {
    /// The chain changed.
    pub(super) chain: bool,
    /// The status changed.
    pub(super) status: bool,
    /// A file may be incomplete, so the next scan follows soon.
    pub(super) unsettled: bool,
    pub(super) loads: u64,
    pub(super) refusals: u64,
    /// The events in order, which are reported once the status shows them.
    pub(super) events: Vec<SelectorEvent>,
}

struct File {
    public: WatchedFile,
    /// The selector in the chain.
    selector: Arc<dyn Selector>,
    /// The fingerprint of the content that was loaded or refused. `None` before the first.
    tried: Option<Option<FileFingerprint>>,
    /// `true` if the file must be loaded again because the lock changed.
    again: bool,
    /// `true` if the last scan did not find it. A renamed file causes two changes, which are
    /// applied together.
    gone: bool,
    /// A fingerprint that was not loaded yet, and the time at which it appeared.
    looked: Option<(Option<FileFingerprint>, Instant)>,
}

/// The time for which a file must be stable, and the time after which it is loaded anyway.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    pub(super) longest: Duration,
    /// The first scan loads existing files at once, because nothing is live yet.
    pub(super) none: bool,
}

impl Files {
    /// Applies a lock. If it changed, refused files may be valid now, and the reverse.
    pub(super) fn hold_to(&mut self, pins: DigestCheck) {
        if self.pins != pins {
            self.relisted |= self.pins.all_allowed() != pins.all_allowed();
            self.pins = pins;
            self.known.values_mut().for_each(|file| file.again = true);
        }
    }

    /// Returns an empty result of a scan, with a new chain if allow-lists changed since the last one.
    pub(super) fn relist(&mut self) -> Found {
        Found {
            chain: std::mem::take(&mut self.relisted),
            ..Found::default()
        }
    }

    /// Scans these files and loads new stable ones.
    pub(super) fn look(
        &mut self,
        paths: Vec<PathBuf>,
        directory: &SelectorsDirectory,
        loader: &Loader,
        patience: Patience,
    ) -> Found {
        let mut found = self.relist();
        self.list(paths, &mut found);
        let (jobs, at_rest) = self.ripe(patience, &mut found);
        let attempts = loader.load(&jobs, &self.pins);
        self.revoke(&mut found);
        for (((path, stamp), at_rest), attempt) in jobs.into_iter().zip(at_rest).zip(attempts) {
            match (attempt, self.known.get_mut(&path)) {
                (Attempt::Done(outcome), Some(file)) if at_rest || outcome.is_ok() => {
                    let loaded = LoadedFile::new(path, outcome).in_mode(&directory.modes);
                    file.settle(stamp, loaded, &mut found);
                }
                _ => found.unsettled = true,
            }
        }
        found
    }

    /// Removes live selectors that are no longer listed. A file that was deleted too is about to
    /// leave the chain.
    pub(super) fn revoke(&mut self, found: &mut Found) {
        for (path, file) in self.known.iter_mut().filter(|(_, file)| !file.gone) {
            let active = file.public.active.as_ref();
            let verify = active.map(|active| self.pins.verify(path, &active.digest));
            if let Some(Err(error)) = verify {
                found.events.push(file.revoke(error));
                found.chain = true;
                found.status = true;
            }
        }
    }

    /// Returns the files to load, and whether each is stable.
    fn ripe(&mut self, patience: Patience, found: &mut Found) -> (Vec<Job>, Vec<bool>) {
        let mut ripe = (Vec::new(), Vec::new());
        for (path, file) in self.known.iter_mut().filter(|(_, file)| !file.gone) {
            let stamp = FileFingerprint::of(path);
            match file.ripe(stamp, patience) {
                Ripe::Nothing => {}
                Ripe::Wait => found.unsettled = true,
                Ripe::Try { at_rest } => {
                    ripe.0.push((path.clone(), stamp));
                    ripe.1.push(at_rest);
                }
            }
        }
        ripe
    }

    /// Adds new files, and removes those that two scans did not find.
    fn list(&mut self, paths: Vec<PathBuf>, found: &mut Found) {
        self.known.retain(|path, file| {
            let missing = paths.binary_search(path).is_err();
            let forget = missing && file.gone;
            file.gone = missing;
            found.unsettled |= missing && !forget;
            if forget && file.tried.is_some() {
                found.chain = true;
                found.status = true;
                tracing::info!(file = %crate::place(path), "a selector was removed");
                found.events.push(SelectorEvent::Removed {
                    selector: file.public.name.clone(),
                    path: path.clone(),
                });
            }
            !forget
        });
        for path in paths {
            let new = File::new(path.clone());
            self.known.entry(path).or_insert(new);
        }
    }

    /// A file that was never complete has no position yet.
    fn in_order(&self) -> impl Iterator<Item = &File> {
        self.known.values().filter(|file| file.tried.is_some())
    }

    /// Returns the selectors of the chain in order, each restricted to the tracers that it may choose.
    pub(super) fn selectors(&self, directory: &SelectorsDirectory) -> Vec<Arc<dyn Selector>> {
        let restricted =
            |file: &File| directory.restrict(Arc::clone(&file.selector), &file.public, &self.pins);
        self.in_order().map(restricted).collect()
    }

    /// Returns the names of the selectors in order.
    pub(super) fn names(&self) -> Vec<String> {
        let files = self.in_order();
        files.map(|file| file.public.name.clone()).collect()
    }

    /// Returns the public status of the files in order.
    pub(super) fn public(&self) -> Vec<WatchedFile> {
        self.in_order().map(|file| file.public.clone()).collect()
    }
}

/// The next step for a file.
enum Ripe {
    Nothing,
    Wait,
    /// Stable, or written continuously. In the second case, a failure is not reported.
    Try {
        at_rest: bool,
    },
}

impl File {
    fn new(path: PathBuf) -> Self {
        let incomplete = LoadError::Host {
            message: "it may be incomplete".to_owned(),
        };
        let loaded = LoadedFile::new(path, Err(incomplete));
        Self {
            public: WatchedFile {
                name: loaded.name(),
                active: None,
                refused: None,
                suspended: None,
                loads: 0,
                refusals: 0,
                path: loaded.path.clone(),
            },
            selector: loaded.selector(),
            tried: None,
            again: false,
            gone: false,
            looked: None,
        }
    }

    /// Decides whether to load the file with this fingerprint.
    fn ripe(&mut self, stamp: Option<FileFingerprint>, patience: Patience) -> Ripe {
        if self.tried == Some(stamp) {
            self.looked = None;
            return if self.again {
                Ripe::Try { at_rest: true }
            } else {
                Ripe::Nothing
            };
        }
        let before = self.looked;
        let since = before.map_or_else(Instant::now, |(_, since)| since);
        self.looked = Some((stamp, since));
        let at_rest = before.is_some_and(|(last, _)| last == stamp);
        if at_rest || patience.none || since.elapsed() >= patience.longest {
            Ripe::Try {
                at_rest: at_rest || patience.none,
            }
        } else {
            Ripe::Wait
        }
    }

    /// Records the result of loading complete content.
    fn settle(&mut self, stamp: Option<FileFingerprint>, loaded: LoadedFile, found: &mut Found) {
        let again = std::mem::take(&mut self.again) && self.tried == Some(stamp);
        self.tried = Some(stamp);
        self.looked = None;
        match &loaded.outcome {
            Ok(selector) => {
                found.status |= self.public.refused.take().is_some();
                let digest = selector.digest().unwrap_or_default();
                let active = self.public.active.as_ref();
                if active.is_some_and(|active| active.digest == digest) {
                    return;
                }
                self.public.active = Some(ActiveSelector {
                    digest: digest.to_owned(),
                    bytes: selector.file_bytes(),
                    since: SystemTime::now(),
                });
                self.public.loads += 1;
                found.loads += 1;
                found.chain = true;
                self.selector = loaded.selector();
                loaded.log();
                found.events.push(loaded.event(false));
            }
            // The lock changed and gives the same result.
            Err(error) if again && self.is_refused_for(error) => return,
            Err(error) => {
                self.refuse(error);
                found.refusals += 1;
                found
                    .events
                    .push(loaded.event(self.public.active.is_some()));
                if self.public.active.is_none() {
                    found.chain = true;
                    self.selector = loaded.selector();
                }
            }
        }
        found.status = true;
    }

    fn is_refused_for(&self, error: &LoadError) -> bool {
        let refused = self.public.refused.as_ref();
        refused.is_some_and(|refused| refused.reason == super::describe(error))
    }

    /// The live selector leaves its position, which is kept until another file loads.
    fn revoke(&mut self, error: LoadError) -> SelectorEvent {
        tracing::info!(
            file = %crate::place(&self.public.path),
            error = %error,
            "a selector was revoked"
        );
        self.public.active = None;
        let event = SelectorEvent::Revoked {
            selector: self.public.name.clone(),
            path: self.public.path.clone(),
            reason: super::describe(&error),
        };
        let path = self.public.path.clone();
        self.selector = LoadedFile::new(path, Err(error)).selector();
        event
    }

    fn refuse(&mut self, error: &LoadError) {
        let kept = self.public.active.is_some();
        self.public.refused = Some(Refusal::now(super::describe(error)));
        self.public.refusals += 1;
        tracing::warn!(
            file = %crate::place(&self.public.path),
            error = %error,
            cause = error.source(),
            kept,
            "a selector was refused; the one before it stays live, or decisions that reach its \
             place go to the fallback tracer"
        );
    }
}
