//! The tables: one line per run in a file, and readable summaries.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Add as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use crate::outage::Loss;
use crate::plan::Usage;
use crate::stored::StoredSpan;
use crate::tracers::{self, TRACERS};
use crate::verdict::{Looks, Verdict, looks};

const RUN_COLUMNS: [&str; 14] = [
    "run",
    "selectors",
    "at once",
    "context",
    "work",
    "trace",
    "named tracer",
    "by",
    "why",
    "found in",
    "spans found/sent",
    "kinds",
    "models",
    "verdict",
];

/// Prefixes of attributes that the suite does not send.
const ADDED: [&str; 6] = [
    "embedding.",
    "input.",
    "llm.",
    "mlflow.",
    "output.",
    "tool.",
];

/// Writes the table of all runs.
pub fn write_runs(path: &Path, verdicts: &[Verdict<'_>]) -> Result<()> {
    let mut text = RUN_COLUMNS.join("\t") + "\ttokens: input/output/cached/reasoning\n";
    for verdict in verdicts {
        text += &(run_line(verdict).join("\t") + "\n");
    }
    let folder = path.parent().context("the table needs a folder")?;
    fs::create_dir_all(folder)?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn run_line(verdict: &Verdict<'_>) -> Vec<String> {
    let run = &verdict.done.run;
    let models: BTreeSet<_> = verdict
        .found
        .iter()
        .filter_map(|span| span.model.as_deref())
        .collect();
    let verdict_text = if verdict.problems.is_empty() {
        "right".to_owned()
    } else {
        verdict.problems.join("; ")
    };
    vec![
        run.number.to_string(),
        run.selectors.to_owned(),
        run.concurrency.to_string(),
        run.about.to_owned(),
        run.work.to_string(),
        verdict.done.trace.clone(),
        run.named.tracer.clone(),
        run.named.by.clone(),
        run.named.why.clone(),
        counted(verdict.places()),
        format!("{}/{}", verdict.found.len(), verdict.done.sent.len()),
        kinds(verdict.found.iter()),
        list(models),
        verdict_text,
        tokens(verdict.found.iter()),
    ]
}

/// Returns the places of the traces of each tracer.
pub fn by_tracer(verdicts: &[Verdict<'_>]) -> Table {
    let mut table = table([
        "tracer",
        "way",
        "runs",
        "found in",
        "whole",
        "spans found/sent",
        "elsewhere",
    ]);
    for (tracer, way) in TRACERS {
        let its: Vec<_> = verdicts
            .iter()
            .filter(|v| v.done.run.named.tracer == tracer)
            .collect();
        let place = way.place(tracer);
        let found = its.iter().flat_map(|verdict| verdict.found);
        let here = found
            .clone()
            .filter(|span| Some(&span.place) == place.as_ref())
            .count();
        let sent: usize = its.iter().map(|verdict| verdict.done.sent.len()).sum();
        let whole = its
            .iter()
            .filter(|verdict| verdict.problems.is_empty())
            .count();
        table.add_row([
            tracer.to_owned(),
            way.describe().to_owned(),
            its.len().to_string(),
            place.unwrap_or("nowhere".to_owned()),
            whole.to_string(),
            format!("{here}/{sent}"),
            (found.count() - here).to_string(),
        ]);
    }
    right(table, [2, 4, 5, 6])
}

/// Returns the runs by set of selectors and concurrency.
pub fn by_selectors(verdicts: &[Verdict<'_>]) -> Table {
    let mut groups: BTreeMap<_, Vec<&Verdict<'_>>> = BTreeMap::new();
    for verdict in verdicts {
        let run = &verdict.done.run;
        groups
            .entry((run.selectors, run.concurrency))
            .or_default()
            .push(verdict);
    }
    let mut table = table(["selectors", "at once", "runs", "right", "tracers"]);
    for ((selectors, concurrency), group) in groups {
        let mut tracers = BTreeMap::new();
        for verdict in &group {
            *tracers
                .entry(verdict.done.run.named.tracer.as_str())
                .or_default() += 1;
        }
        let whole = group
            .iter()
            .filter(|verdict| verdict.problems.is_empty())
            .count();
        table.add_row([
            selectors.to_owned(),
            concurrency.to_string(),
            group.len().to_string(),
            whole.to_string(),
            counted(tracers),
        ]);
    }
    right(table, [1, 2, 3])
}

/// Returns the kinds of spans that each backend shows, with its token counts.
pub fn by_kind(verdicts: &[Verdict<'_>]) -> Table {
    let mut groups: BTreeMap<(String, String, String), Vec<Usage>> = BTreeMap::new();
    for span in verdicts.iter().flat_map(|verdict| verdict.found) {
        let (kind, model, usage): Looks = looks(span);
        let backend = span.place.split('/').next().unwrap_or_default().to_owned();
        let key = (backend, kind, model.unwrap_or("-".to_owned()));
        groups.entry(key).or_default().push(usage);
    }
    let mut table = table([
        "backend",
        "kind",
        "model",
        "spans",
        "input",
        "output",
        "cached",
        "reasoning",
    ]);
    for ((backend, kind, model), usages) in groups {
        let total = usages.iter().copied().fold(Usage::default(), Usage::add);
        let number = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
        table.add_row([
            backend,
            kind,
            model,
            usages.len().to_string(),
            number(total.input),
            number(total.output),
            number(total.cached),
            number(total.reasoning),
        ]);
    }
    right(table, [3, 4, 5, 6, 7])
}

/// Returns the attributes that each backend derives from the sent ones.
pub fn by_attributes(verdicts: &[Verdict<'_>]) -> Table {
    let mut groups: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for span in verdicts.iter().flat_map(|verdict| verdict.found) {
        let backend = span.place.split('/').next().unwrap_or_default();
        let keys = span.attributes.keys().map(String::as_str);
        let own = keys.filter(|key| ADDED.iter().any(|prefix| key.starts_with(prefix)));
        groups.entry((backend, &span.kind)).or_default().extend(own);
    }
    let mut table = table(["backend", "kind", "attributes of its own"]);
    for ((backend, kind), keys) in groups {
        if !keys.is_empty() {
            table.add_row([backend.to_owned(), kind.to_owned(), list(keys)]);
        }
    }
    table
}

/// Returns the losses over an outage, as counted and as stored.
pub fn losses(losses: &[Loss]) -> Table {
    let mut table = table([
        "tracer",
        "found in",
        "sent",
        "ended",
        "stored",
        "delivered",
        "missing",
        "lost",
        "causes",
        "retries",
        "replayed",
        "agree",
    ]);
    for loss in losses {
        let counted = &loss.counted;
        table.add_row([
            loss.tracer.to_owned(),
            tracers::place(loss.tracer).unwrap_or_default(),
            loss.sent.to_string(),
            counted.ended.to_string(),
            loss.stored.to_string(),
            counted.delivered.to_string(),
            loss.missing.to_string(),
            counted.lost().to_string(),
            counted.causes(),
            counted.retries.to_string(),
            counted.replayed.to_string(),
            if loss.agrees() { "yes" } else { "NO" }.to_owned(),
        ]);
    }
    right(table, [2, 3, 4, 5, 6, 7, 9, 10])
}

fn table<const N: usize>(columns: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(columns);
    table
}

fn right<const N: usize>(mut table: Table, columns: [usize; N]) -> Table {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn kinds<'a>(spans: impl Iterator<Item = &'a StoredSpan>) -> String {
    let mut kinds = BTreeMap::new();
    for span in spans {
        *kinds.entry(span.kind.as_str()).or_default() += 1;
    }
    counted(kinds)
}

fn tokens<'a>(spans: impl Iterator<Item = &'a StoredSpan>) -> String {
    let counted = spans
        .map(|span| span.usage)
        .filter(|usage| *usage != Usage::default());
    list(counted.map(|usage| usage.to_string()))
}

fn counted(counts: BTreeMap<&str, usize>) -> String {
    if counts.is_empty() {
        "nowhere".to_owned()
    } else {
        list(counts.iter().map(|(name, count)| format!("{name} {count}")))
    }
}

fn list<T: Into<String>>(parts: impl IntoIterator<Item = T>) -> String {
    let parts: Vec<String> = parts.into_iter().map(Into::into).collect();
    parts.join(", ")
}
