//! Checks that a run's trace is complete, in the right place, and shown correctly.

use std::collections::{BTreeMap, BTreeSet};

use spanmux::otel::attributes;

use crate::plan::{PlannedSpan, Usage};
use crate::runs::Run;
use crate::selecting::{CHOSEN, NOBODY, Named};
use crate::store::Store;
use crate::stored::{Dialect, StoredSpan};
use crate::tracers;

/// A run that was answered.
pub struct Done {
    pub run: Run,
    pub trace: String,
    /// The ids of its spans.
    pub sent: BTreeSet<String>,
}

/// The stored spans of a run, and their errors.
pub struct Verdict<'a> {
    pub done: &'a Done,
    pub found: &'a [StoredSpan],
    pub problems: Vec<String>,
}

/// The appearance of a span: kind, model, tokens.
pub type Looks = (String, Option<String>, Usage);

impl<'a> Verdict<'a> {
    pub fn of(done: &'a Done, store: &'a Store) -> Self {
        let found = store.trace(&done.trace);
        let mut verdict = Self {
            done,
            found,
            problems: Vec::new(),
        };
        verdict.check_sent();
        verdict.check_places();
        if let Some(place) = done.place() {
            verdict.check_complete();
            verdict.check_tree();
            verdict.check_reason();
            verdict.check_looks(Dialect::at(&place));
        }
        verdict
    }

    /// Returns the number of spans at each place.
    pub fn places(&self) -> BTreeMap<&str, usize> {
        let mut places = BTreeMap::new();
        for span in self.found {
            *places.entry(span.place.as_str()).or_default() += 1;
        }
        places
    }

    fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    fn check_sent(&mut self) {
        let (sent, planned) = (self.done.sent.len(), self.done.plan().len());
        if sent != planned {
            self.problem(format!(
                "{sent} spans were started and {planned} belong to it"
            ));
        }
    }

    /// Checks that all spans are in the place of the selected tracer.
    fn check_places(&mut self) {
        let right = self.done.place();
        let wrong: Vec<_> = self
            .places()
            .into_iter()
            .filter(|(place, _)| right.as_deref() != Some(place))
            .map(|(place, spans)| format!("{spans} spans are in {place}"))
            .collect();
        self.problems.extend(wrong);
    }

    fn check_complete(&mut self) {
        let ids: BTreeSet<_> = self.found.iter().map(|span| span.id.clone()).collect();
        let missing = self.done.sent.difference(&ids).count();
        let strange = ids.difference(&self.done.sent).count();
        let twice = self.found.len() - ids.len();
        if (missing, strange, twice) != (0, 0, 0) {
            self.problem(format!(
                "{missing} missing, {strange} not sent, {twice} stored twice"
            ));
        }
    }

    /// Checks that there is one root, and a parent for every other span.
    fn check_tree(&mut self) {
        let ids: BTreeSet<_> = self.found.iter().map(|span| &span.id).collect();
        let roots = self
            .found
            .iter()
            .filter(|span| span.parent.is_none())
            .count();
        let orphans = self.found.iter().filter_map(|span| span.parent.as_ref());
        let orphans = orphans.filter(|parent| !ids.contains(parent)).count();
        if (roots, orphans) != (1, 0) {
            self.problem(format!(
                "{roots} roots, {orphans} spans without their parent"
            ));
        }
    }

    /// Checks that the root names the tracer and its selector.
    fn check_reason(&mut self) {
        let Named { tracer, by, why } = &self.done.run.named;
        let root = self.found.iter().find(|span| span.parent.is_none());
        let said = |key, unsaid| root.and_then(|root| root.text(key)).unwrap_or(unsaid);
        let said = [
            said(attributes::TRACER, "no tracer"),
            said(attributes::SELECTOR, NOBODY),
            said(attributes::FALLBACK, CHOSEN),
        ];
        if said != [tracer, by, why] {
            self.problem(format!("the root says {}", said.join(", ")));
        }
    }

    /// Checks kinds, models and tokens in the backend's own API.
    fn check_looks(&mut self, dialect: Dialect) {
        let mut planned: Vec<_> = self
            .done
            .plan()
            .iter()
            .map(|span| looks_in(dialect, span))
            .collect();
        let mut found: Vec<_> = self.found.iter().map(looks).collect();
        planned.sort_unstable();
        found.sort_unstable();
        if planned != found {
            self.problem(format!("shown as {found:?} and was {planned:?}"));
        }
    }
}

impl Done {
    /// Returns the expected place of its spans.
    pub fn place(&self) -> Option<String> {
        tracers::place(&self.run.named.tracer)
    }

    fn plan(&self) -> Vec<PlannedSpan> {
        self.run.work.plan(self.run.number)
    }
}

/// Returns the appearance of a stored span.
pub fn looks(span: &StoredSpan) -> Looks {
    (span.kind.clone(), span.model.clone(), span.usage)
}

fn looks_in(dialect: Dialect, span: &PlannedSpan) -> Looks {
    let model = span.model.map(|model| dialect.model(model).to_owned());
    (dialect.kind(span.operation).to_owned(), model, span.usage)
}

#[cfg(test)]
mod tests;
