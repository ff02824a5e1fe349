//! The selector chain of a configuration: component files and native selectors, in order.

use std::path::Path;
use std::sync::Arc;

use super::check::join;
use super::config::Config;
use super::nearest::hint;
use super::problem::Problem;
use super::shape::{FILE_ENDING, SelectorsTable, Unavailable};
use spanmux_component::{LoadReport, LoadedFile};
use spanmux_core::{Chain, Selector};

/// The entry in the order that stands for all unlisted files.
const THE_REST: &str = "*";

/// The selectors available for the chain.
pub(super) struct Candidates<'a> {
    pub(super) config: &'a Config,
    pub(super) table: &'a SelectorsTable,
    pub(super) natives: &'a [Arc<dyn Selector>],
    pub(super) files: &'a [LoadedFile],
}

impl Candidates<'_> {
    /// Builds the chain in its configured order, or returns every problem.
    pub(super) fn chain(&self) -> Result<Chain, Vec<Problem>> {
        let mut problems = self.wrong_names();
        if self.table.unavailable == Unavailable::Error {
            problems.extend(self.unavailable());
        }
        if problems.is_empty() {
            Ok(self
                .order()
                .chain(self.files.iter().map(LoadedFile::selector)))
        } else {
            Err(problems)
        }
    }

    /// Returns the configured order of the chain.
    pub(super) fn order(&self) -> Order {
        Order {
            names: self.table.order.clone(),
            natives: self.natives.to_vec(),
            skips: self.table.unavailable == Unavailable::Skip,
        }
    }

    fn wrong_names(&self) -> Vec<Problem> {
        let files: Vec<String> = self.files.iter().map(LoadedFile::name).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let natives: Vec<&str> = self.natives.iter().map(|native| native.name()).collect();
        let all: Vec<&str> = natives.iter().chain(&files).copied().collect();
        let mut problems = Vec::new();

        for (place, name) in self.table.native.iter().enumerate() {
            if !natives.contains(&name.as_str()) {
                let message = format!(
                    "native selector {name:?} is not registered; call `native_selector` with it \
                     before `build`"
                );
                problems.push(self.problem(&format!("native[{place}]"), message));
            }
        }
        for (place, name) in self.table.order.iter().enumerate() {
            if name != THE_REST && !all.contains(&name.as_str()) {
                let mut message = format!(
                    "no selector is named {name:?}{}",
                    hint(name, all.iter().copied())
                );
                message.push_str(". List a selector that code registers in `native`");
                problems.push(self.problem(&format!("order[{place}]"), message));
            }
        }
        for name in self.table.modes.keys() {
            if !files.contains(&name.as_str()) {
                let message = if natives.contains(&name.as_str()) {
                    "the selector is native; only components have a mode".to_owned()
                } else {
                    format!(
                        "no selector file is named {name:?}{}",
                        hint(name, files.iter().copied())
                    )
                };
                problems.push(self.problem(&join("modes", name), message));
            }
        }
        for file in self.table.files.keys() {
            let name = file.strip_suffix(FILE_ENDING).unwrap_or(file);
            if !files.contains(&name) {
                let message = if natives.contains(&name) {
                    format!(
                        "the selector {name:?} is native; restrict it in code with \
                         `AllowedTracers::restrict`"
                    )
                } else {
                    let known: Vec<String> = files
                        .iter()
                        .map(|it| format!("{it}{FILE_ENDING}"))
                        .collect();
                    let known = known.iter().map(String::as_str);
                    format!("no selector file is named {file:?}{}", hint(file, known))
                };
                problems.push(self.problem(&join("", file), message));
            }
        }
        for name in natives.iter().filter(|name| files.contains(name)) {
            let message = format!(
                "a selector file and a native selector are both named {name:?}; rename one of them"
            );
            problems.push(self.problem("directory", message));
        }
        problems
    }

    fn unavailable(&self) -> impl Iterator<Item = Problem> {
        let failed = self.files.iter().filter_map(|file| {
            let error = file.outcome.as_ref().err()?;
            let cause = std::error::Error::source(error);
            let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
            Some((&file.path, format!("{error}{cause}")))
        });
        failed.map(|(path, error): (_, String)| {
            let message = format!("failed to load {}: {error}", Path::new(path).display());
            self.problem("unavailable", message)
        })
    }

    fn problem(&self, key: &str, message: String) -> Problem {
        self.config.problem(&format!("selectors.{key}"), message)
    }
}

/// The order of native selectors and component files, independent of the current content
/// of the directory.
pub(super) struct Order {
    names: Vec<String>,
    natives: Vec<Arc<dyn Selector>>,
    /// `true` if files that failed to load are skipped.
    skips: bool,
}

impl Order {
    /// Builds the chain from the native selectors and these selectors of a directory, given in
    /// directory order.
    pub(super) fn chain(&self, files: impl IntoIterator<Item = Arc<dyn Selector>>) -> Chain {
        // The placeholder for a file that failed to load has no digest.
        let is_live = |file: &Arc<dyn Selector>| !self.skips || file.digest().is_some();
        let files: Vec<_> = files.into_iter().filter(is_live).collect();
        let placed = |name: &str| self.names.iter().any(|placed| placed == name);
        let rest = || files.iter().filter(|file| !placed(file.name()));
        let named = |all: &[Arc<dyn Selector>], name: &str| {
            all.iter().find(|one| one.name() == name).cloned()
        };

        let first = self.natives.iter().filter(|native| !placed(native.name()));
        let mut chain: Vec<_> = first.cloned().collect();
        for name in &self.names {
            match named(&self.natives, name) {
                Some(native) => chain.push(native),
                None if name == THE_REST => chain.extend(rest().cloned()),
                None => chain.extend(named(&files, name)),
            }
        }
        if !placed(THE_REST) {
            chain.extend(rest().cloned());
        }
        Chain::from(chain)
    }
}

/// The loaded selectors of a configuration.
#[derive(Debug)]
#[non_exhaustive]
pub struct LoadedSelectors {
    /// All selectors, in chain order.
    pub chain: Chain,
    /// The load report of the directory, or `None` if the file names no directory.
    pub report: Option<LoadReport>,
}
