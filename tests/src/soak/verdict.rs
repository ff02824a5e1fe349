//! Checks the guarantees after a soak.

use std::fmt;
use std::time::Duration;

use spanmux::Cause;

use super::ask::{Asked, CHILDREN};
use super::disturb::Disturbed;
use super::process::Process;
use super::service::Delivered;

/// Far more than the fluctuation of an allocator, and far less than a leak of components, trees or
/// spans in a minute.
const GROWTH: usize = 48 << 20;

/// Selections that violated a guarantee, with a description of the first.
#[derive(Debug, Default)]
pub(super) struct Broken {
    count: u64,
    first: Option<String>,
}

impl Broken {
    pub(super) fn note_if(&mut self, broken: bool, what: impl FnOnce() -> String) {
        if broken {
            self.count += 1;
            self.first.get_or_insert_with(what);
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.first = self.first.take().or(other.first);
    }
}

/// All observations of a soak.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) time: Duration,
    pub(super) asked: Asked,
    pub(super) disturbed: Disturbed,
    pub(super) delivered: Delivered,
    pub(super) panics: u64,
    /// Bytes, measured once per second.
    pub(super) resident: Vec<usize>,
    pub(super) before: Process,
    pub(super) after: Process,
}

/// One guarantee and whether it held.
#[derive(Debug)]
pub struct Promise {
    /// The guarantee.
    pub promise: &'static str,
    /// `true` if it held.
    pub kept: bool,
    /// The counts.
    pub seen: String,
}

/// The result of a soak.
#[derive(Debug)]
pub struct Verdict {
    /// Every guarantee.
    pub promises: Vec<Promise>,
    /// Counts and times for the reader.
    pub done: Vec<(&'static str, String)>,
}

impl Verdict {
    /// Returns whether every guarantee held.
    pub fn is_kept(&self) -> bool {
        self.promises.iter().all(|promise| promise.kept)
    }
}

pub(super) fn of(seen: Seen) -> Verdict {
    Verdict {
        promises: promises(&seen),
        done: done(&seen),
    }
}

fn promises(seen: &Seen) -> Vec<Promise> {
    let mut promises = Vec::new();
    let mut promise = |promise, kept, seen: String| {
        promises.push(Promise {
            promise,
            kept,
            seen,
        });
    };
    let Seen {
        asked, delivered, ..
    } = seen;
    let none = |broken: &Broken| {
        let first = broken.first.as_ref();
        let first = first.map_or(String::new(), |first| format!("; the first: {first}"));
        (
            broken.count == 0,
            format!("{} violations{first}", broken.count),
        )
    };
    let (kept, said) = none(&asked.unregistered);
    promise(
        "every selection names a registered tracer or the no-op tracer",
        kept,
        said,
    );
    let (kept, said) = none(&asked.foreign);
    promise(
        "every answer is that of the complete selector file",
        kept,
        said,
    );
    let (kept, said) = none(&asked.dear);
    promise("no selection exceeds its fuel limit", kept, said);
    promise(
        "selections, runs, cache hits and refusals occurred",
        asked.selections > 0 && asked.runs > 0 && asked.cached > 0 && delivered.refusals > 0,
        format!(
            "{} selections, {} refusals",
            asked.selections, delivered.refusals
        ),
    );
    // A late root is counted once, and its children are lost with it.
    let too_late = delivered.elsewhere..=(1 + CHILDREN) * delivered.elsewhere;
    let elsewhere = (asked.recording + asked.nothing).abs_diff(delivered.ended);
    promise(
        "every started span is accounted for",
        delivered.ended <= asked.recording && too_late.contains(&elsewhere),
        format!(
            "{} recording and {} no-op; {} reached an exporter, {} came too late for their \
             tracer",
            asked.recording, asked.nothing, delivered.ended, delivered.elsewhere
        ),
    );
    promise(
        "every ended span is counted as delivered, lost or waiting",
        delivered.ended == delivered.taken + delivered.lost + delivered.rest && delivered.rest == 0,
        format!(
            "{} delivered, {} lost, {} waiting",
            delivered.taken, delivered.lost, delivered.rest
        ),
    );
    let torn = torn(delivered);
    let missing = (1 + CHILDREN) * (delivered.lost + delivered.elsewhere);
    promise(
        "a trace is in one tracer and complete except for lost spans",
        torn <= missing,
        format!("{torn} spans outside of their root's tracer, at most {missing} allowed"),
    );
    promise(
        "a failing backend does not delay the others",
        !delivered.timed_out,
        format!("flushes of the others timed out: {}", delivered.timed_out),
    );
    promise(
        "nothing panics",
        seen.panics == 0,
        format!("{} panics", seen.panics),
    );
    let growth = growth(&seen.resident);
    promise(
        "memory does not grow",
        growth <= GROWTH,
        format!(
            "{} more at the end, at most {} allowed",
            mebibytes(growth),
            mebibytes(GROWTH)
        ),
    );
    promise(
        "no thread and no open file is leaked",
        seen.after.threads <= seen.before.threads && seen.after.files <= seen.before.files,
        format!(
            "threads {} → {}, files {} → {}",
            seen.before.threads, seen.after.threads, seen.before.files, seen.after.files
        ),
    );
    promises
}

/// The number of spans that are in another tracer than their root.
fn torn(delivered: &Delivered) -> u64 {
    let of = delivered.received.values();
    of.map(|traces| (CHILDREN * traces.roots).abs_diff(traces.children))
        .sum()
}

/// The median of the last fifth minus the median of the second fifth.
fn growth(resident: &[usize]) -> usize {
    let fifth = resident.len() / 5;
    let median = |part: &[usize]| {
        let mut part = part.to_vec();
        part.sort_unstable();
        part.get(part.len() / 2).copied().unwrap_or_default()
    };
    let second = median(&resident[fifth..2 * fifth]);
    median(&resident[resident.len() - fifth..]).saturating_sub(second)
}

fn done(seen: &Seen) -> Vec<(&'static str, String)> {
    let Seen {
        asked,
        delivered,
        disturbed,
        ..
    } = seen;
    let mut causes: Vec<String> = Cause::ALL
        .into_iter()
        .zip(asked.fallbacks)
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    causes.sort();
    let first = seen.resident.first().copied().unwrap_or_default();
    let last = seen.resident.last().copied().unwrap_or_default();
    vec![
        ("time", format!("{:.0} s", seen.time.as_secs_f64())),
        ("selections", asked.selections.to_string()),
        ("cached", asked.cached.to_string()),
        ("runs", asked.runs.to_string()),
        ("highest fuel of a selection", asked.fuel.to_string()),
        ("fallback causes", causes.join(", ")),
        ("traces", asked.roots.to_string()),
        ("file changes", disturbed.files.to_string()),
        ("zoo members", disturbed.zoo.to_string()),
        ("registry changes", disturbed.registry.to_string()),
        ("chains", delivered.chains.to_string()),
        ("refusals", delivered.refusals.to_string()),
        ("median selection", format!("{:?}", asked.times.share(0.5))),
        ("99th percentile", format!("{:?}", asked.times.share(0.99))),
        (
            "99.9th percentile",
            format!("{:?}", asked.times.share(0.999)),
        ),
        ("longest", format!("{:?}", asked.times.longest)),
        (
            "memory",
            format!("{} → {}", mebibytes(first), mebibytes(last)),
        ),
    ]
}

fn mebibytes(bytes: usize) -> String {
    format!("{} MiB", bytes >> 20)
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| count | |\n|---|---|")?;
        for (what, seen) in &self.done {
            writeln!(f, "| {what} | {seen} |")?;
        }
        writeln!(f, "\n| guarantee | held | observed |\n|---|---|---|")?;
        for Promise {
            promise,
            kept,
            seen,
        } in &self.promises
        {
            let kept = if *kept { "yes" } else { "NO" };
            writeln!(f, "| {promise} | {kept} | {seen} |")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::service::Traces;
    use super::*;

    /// A soak without violations.
    fn well() -> Seen {
        let received = [("console", 2), ("datadog", 1)].map(|(name, roots)| {
            let children = CHILDREN * roots;
            (name.to_owned(), Traces { roots, children })
        });
        Seen {
            asked: Asked {
                selections: 10,
                cached: 5,
                runs: 5,
                roots: 3,
                recording: 3 + 3 * CHILDREN,
                ..Asked::default()
            },
            delivered: Delivered {
                ended: 3 + 3 * CHILDREN,
                taken: 3 + 3 * CHILDREN,
                refusals: 1,
                received: received.into(),
                ..Delivered::default()
            },
            resident: vec![100 << 20; 60],
            ..Seen::default()
        }
    }

    #[test]
    fn every_guarantee_holds_after_a_good_soak() {
        let verdict = of(well());
        assert!(verdict.is_kept(), "{verdict}");
    }

    /// Each guarantee can be violated without violating another.
    #[test]
    fn each_violation_is_reported() {
        type Break = (&'static str, fn(&mut Seen));
        let breaks: [Break; 11] = [
            ("names a registered", |seen| {
                seen.asked.unregistered.note_if(true, String::new);
            }),
            ("complete selector file", |seen| {
                seen.asked.foreign.note_if(true, String::new);
            }),
            ("exceeds its fuel", |seen| {
                seen.asked.dear.note_if(true, String::new)
            }),
            ("cache hits and refusals", |seen| {
                seen.delivered.refusals = 0
            }),
            ("every started span", |seen| seen.asked.recording += 1),
            ("every ended span", |seen| seen.delivered.taken -= 1),
            ("in one tracer", |seen| {
                let traces = seen.delivered.received.get_mut("datadog").unwrap();
                traces.children -= 1;
            }),
            ("does not delay", |seen| seen.delivered.timed_out = true),
            ("nothing panics", |seen| seen.panics = 1),
            ("memory does not grow", |seen| {
                seen.resident[48..].fill(200 << 20)
            }),
            ("is leaked", |seen| seen.after.threads = 1),
        ];
        for (promise, act) in breaks {
            let mut seen = well();
            act(&mut seen);
            let verdict = of(seen);
            let broken: Vec<_> = verdict.promises.iter().filter(|one| !one.kept).collect();
            assert_eq!(broken.len(), 1, "{promise}: {broken:?}");
            assert!(broken[0].promise.contains(promise), "{promise}: {broken:?}");
        }
    }
}
