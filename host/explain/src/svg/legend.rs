//! The legend: each tracer with its decisions, and the findings that the tree does not show.

use super::layout::Kind;
use super::measure;
use crate::Hits;
use crate::rules::Rules;
use crate::words::{count, printable, shorten, thousands};

/// Maximum number of items of one category.
const MOST: usize = 12;
/// Maximum length of a name, in characters.
const NAME: usize = 40;

/// One item of the legend.
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) count: Option<String>,
    /// Less prominent: a tracer that was never chosen.
    pub(super) faint: bool,
    pub(super) begins_line: bool,
}

impl Item {
    /// The distance between a name and its count.
    pub(super) const APART: f64 = 7.0;

    /// Returns the width of the coloured dot.
    pub(super) fn dot(&self) -> f64 {
        if self.kind == Kind::Mixed { 0.0 } else { 17.0 }
    }

    pub(super) fn name_width(&self) -> f64 {
        measure::proportional(&self.name, 12.5)
    }

    pub(super) fn width(&self) -> f64 {
        let count = self.count.as_ref();
        let count = count.map_or(0.0, |count| {
            Self::APART + measure::proportional(count, 12.5)
        });
        self.dot() + self.name_width() + count
    }
}

/// Returns the items in display order.
pub(super) fn items(rules: &Rules) -> Vec<Item> {
    let counted = |kind, name: &str, hits: Hits| Item {
        kind,
        name: shorten(&printable(name), NAME),
        count: (rules.hits > 0).then(|| thousands(hits)),
        faint: false,
        begins_line: false,
    };
    let faint = |kind, name: &str| Item {
        kind,
        name: shorten(&printable(name), NAME),
        count: None,
        faint: true,
        begins_line: false,
    };
    let more = |all: usize| {
        let rest = all.saturating_sub(MOST);
        (rest > 0).then(|| faint(Kind::Mixed, &count(rest as u64, "more", "more")))
    };

    let mut items = Vec::new();
    let chosen = rules.chosen.iter().take(MOST);
    items.extend(chosen.map(|(name, hits)| counted(Kind::Tracer(name.clone()), name, *hits)));
    items.extend(more(rules.chosen.len()));
    if let Some(hits) = rules.abstained {
        items.push(counted(Kind::Abstains, "abstains", hits));
    }
    let unknown = rules.unknown_tracers.iter().take(MOST);
    items.extend(
        unknown
            .map(|(name, hits)| counted(Kind::Fallback, &format!("no tracer \"{name}\""), *hits)),
    );
    items.extend(more(rules.unknown_tracers.len()));
    if !rules.failures.is_empty() {
        let hits = rules.failures.iter().map(|(_, _, hits)| *hits);
        let hits = hits.fold(0, Hits::saturating_add);
        items.push(counted(Kind::Fallback, "errors", hits));
    }
    if !rules.never_chosen.is_empty() {
        let heading = faint(Kind::Mixed, "never chosen");
        items.push(Item {
            begins_line: true,
            ..heading
        });
    }
    let never = rules.never_chosen.iter().take(MOST);
    items.extend(never.map(|name| faint(Kind::Tracer(name.clone()), name)));
    items.extend(more(rules.never_chosen.len()));
    items
}
