//! The files of a watched directory: which are new, which are whole, and what of
//! each is live.

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
use crate::LoadError;
use spanmux_core::Selector;

/// All files, by their paths: in the order in which they are asked.
#[derive(Default)]
pub(super) struct Files {
    known: BTreeMap<PathBuf, File>,
    pins: DigestCheck,
}

/// What one look found.
#[derive(Default)]
pub(super) struct Found {
    /// The chain is another.
    pub(super) chain: bool,
    /// What is said of the files is another.
    pub(super) status: bool,
    /// A file is not known to be whole, so look again soon.
    pub(super) unsettled: bool,
    pub(super) loads: u64,
    pub(super) refusals: u64,
}

struct File {
    public: WatchedFile,
    /// What stands in the chain.
    selector: Arc<dyn Selector>,
    /// Of the content that was taken or refused; none before.
    tried: Option<Option<FileFingerprint>>,
    /// Whether it is to be tried whatever its stamp, because the lock is another.
    again: bool,
    /// Whether the last look found none: one that is renamed is two changes, and
    /// they are taken at once.
    gone: bool,
    /// A stamp that is not yet tried, and since when there is one.
    looked: Option<(Option<FileFingerprint>, Instant)>,
}

/// How long a file must lie still, and after how long it is tried all the same.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    pub(super) longest: Duration,
    /// The first look takes what there is, because nothing is live yet.
    pub(super) none: bool,
}

impl Files {
    /// Holds them to a lock. If it is another than before, what was refused may be right
    /// now, and the other way round.
    pub(super) fn hold_to(&mut self, pins: DigestCheck) {
        if self.pins != pins {
            self.pins = pins;
            self.known.values_mut().for_each(|file| file.again = true);
        }
    }

    /// Looks at these files, and loads what is new and whole.
    pub(super) fn look(
        &mut self,
        paths: Vec<PathBuf>,
        directory: &SelectorsDirectory,
        loader: &Loader,
        patience: Patience,
    ) -> Found {
        let mut found = Found::default();
        self.list(paths, &mut found);
        let (jobs, at_rest) = self.ripe(patience, &mut found);
        let attempts = loader.load(&jobs, &self.pins);
        self.revoke(&mut found);
        for (((path, stamp), at_rest), attempt) in jobs.into_iter().zip(at_rest).zip(attempts) {
            match (attempt, self.known.get_mut(&path)) {
                (Attempt::Done(outcome), Some(file)) if at_rest || outcome.is_ok() => {
                    let loaded = LoadedFile { path, outcome }.in_mode(&directory.modes);
                    file.settle(stamp, loaded, &mut found);
                }
                _ => found.unsettled = true,
            }
        }
        found
    }

    /// Takes out what is live and no longer listed. What is gone too is about to leave
    /// the chain.
    pub(super) fn revoke(&mut self, found: &mut Found) {
        for (path, file) in self.known.iter_mut().filter(|(_, file)| !file.gone) {
            let active = file.public.active.as_ref();
            let verify = active.map(|active| self.pins.verify(path, &active.digest));
            if let Some(Err(error)) = verify {
                file.revoke(error);
                found.chain = true;
                found.status = true;
            }
        }
    }

    /// Which files are to be loaded, and of each whether it is at rest.
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

    /// Takes up new files, and forgets those that two looks did not find.
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
            }
            !forget
        });
        for path in paths {
            let new = File::new(path.clone());
            self.known.entry(path).or_insert(new);
        }
    }

    /// A file that was never whole has no place yet.
    fn in_order(&self) -> impl Iterator<Item = &File> {
        self.known.values().filter(|file| file.tried.is_some())
    }

    /// What stands in the chain, in order.
    pub(super) fn selectors(&self) -> Vec<Arc<dyn Selector>> {
        self.in_order()
            .map(|file| Arc::clone(&file.selector))
            .collect()
    }

    /// What is said of the files, in order.
    pub(super) fn public(&self) -> Vec<WatchedFile> {
        self.in_order().map(|file| file.public.clone()).collect()
    }
}

/// Whether a file is to be loaded.
enum Ripe {
    Nothing,
    Wait,
    /// At rest, or written without a pause; then a failure says nothing.
    Try {
        at_rest: bool,
    },
}

impl File {
    fn new(path: PathBuf) -> Self {
        let loaded = LoadedFile {
            path,
            outcome: Err(LoadError::Host {
                message: "it is not known to be whole yet".to_owned(),
            }),
        };
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

    /// Whether to load it, now that its stamp is this.
    fn ripe(&mut self, stamp: Option<FileFingerprint>, patience: Patience) -> Ripe {
        if self.tried == Some(stamp) {
            self.looked = None;
            return match self.again {
                true => Ripe::Try { at_rest: true },
                false => Ripe::Nothing,
            };
        }
        let before = self.looked;
        let since = before.map_or_else(Instant::now, |(_, since)| since);
        self.looked = Some((stamp, since));
        let at_rest = before.is_some_and(|(last, _)| last == stamp);
        match at_rest || patience.none || since.elapsed() >= patience.longest {
            true => Ripe::Try {
                at_rest: at_rest || patience.none,
            },
            false => Ripe::Wait,
        }
    }

    /// What came of content that was whole.
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
            }
            // The lock is another, and says the same of it.
            Err(error) if again && self.is_refused_for(error) => return,
            Err(error) => {
                self.refuse(error);
                found.refusals += 1;
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

    /// What was live leaves its place, which is held until something else is loaded.
    fn revoke(&mut self, error: LoadError) {
        tracing::info!(
            file = %crate::place(&self.public.path),
            error = %error,
            "a selector was taken out"
        );
        self.public.active = None;
        let path = self.public.path.clone();
        let outcome = Err(error);
        self.selector = LoadedFile { path, outcome }.selector();
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
