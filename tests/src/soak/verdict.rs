//! The promises and whether they were kept.

use std::fmt;
use std::time::Duration;

use spanmux::Cause;

use super::ask::{Asked, CHILDREN};
use super::disturb::Disturbed;
use super::process::Process;
use super::service::Delivered;

/// Far above the fluctuation of an allocator, and far below a leak of components, trees or spans
/// within a minute.
const GROWTH: usize = 48 << 20;

/// Selections that broke a promise, and the first of them.
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

/// All observations.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) time: Duration,
    pub(super) asked: Asked,
    pub(super) disturbed: Disturbed,
    pub(super) delivered: Delivered,
    pub(super) panics: u64,
    /// Bytes, once per second.
    pub(super) resident: Vec<usize>,
    pub(super) before: Process,
    pub(super) after: Process,
}

/// One promise and its result.
#[derive(Debug)]
pub struct Promise {
    /// The promise.
    pub promise: &'static str,
    /// `true` if it was kept.
    pub kept: bool,
    /// The counts.
    pub seen: String,
}

/// The result of a soak test.
#[derive(Debug)]
pub struct Verdict {
    /// Every promise.
    pub promises: Vec<Promise>,
    /// Readable figures of the activity and its duration.
    pub done: Vec<(&'static str, String)>,
}

impl Verdict {
    /// Returns `true` if every promise was kept.
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
            format!("{} did not{first}", broken.count),
        )
    };
    let (kept, said) = none(&asked.unregistered);
    promise(
        "a selection names a registered tracer or the no-op",
        kept,
        said,
    );
    let (kept, said) = none(&asked.foreign);
    promise(
        "a selector answers what its bytes answer, whole",
        kept,
        said,
    );
    let (kept, said) = none(&asked.dear);
    promise("a selection burns no more than its fuel", kept, said);
    promise(
        "something was selected, run, cached and refused",
        asked.selections > 0 && asked.runs > 0 && asked.cached > 0 && delivered.refusals > 0,
        format!(
            "{} selections, {} refusals",
            asked.selections, delivered.refusals
        ),
    );
    // A span that came too late is counted once, together with its children.
    let too_late = delivered.elsewhere..=(1 + CHILDREN) * delivered.elsewhere;
    let elsewhere = (asked.recording + asked.nothing).abs_diff(delivered.ended);
    promise(
        "every span that was started is accounted for",
        delivered.ended <= asked.recording && too_late.contains(&elsewhere),
        format!(
            "{} recorded and {} did nothing; {} reached an exporter, {} came too late for their \
             tracer",
            asked.recording, asked.nothing, delivered.ended, delivered.elsewhere
        ),
    );
    promise(
        "every span that ended was delivered, lost or waits, and it is said which",
        delivered.ended == delivered.taken + delivered.lost + delivered.rest && delivered.rest == 0,
        format!(
            "{} delivered, {} lost and counted, {} waiting",
            delivered.taken, delivered.lost, delivered.rest
        ),
    );
    let torn = torn(delivered);
    let missing = (1 + CHILDREN) * (delivered.lost + delivered.elsewhere);
    promise(
        "a trace is in one tracer, whole but for what was counted as lost",
        torn <= missing,
        format!("{torn} spans apart from their root's tracer, {missing} may be"),
    );
    promise(
        "one backend that fails keeps no other from its end",
        !delivered.timed_out,
        format!("the others' flushes timed out: {}", delivered.timed_out),
    );
    promise(
        "nothing panics",
        seen.panics == 0,
        format!("{} panics", seen.panics),
    );
    let growth = growth(&seen.resident);
    promise(
        "memory is flat",
        growth <= GROWTH,
        format!(
            "{} more at the end, {} are borne",
            mebibytes(growth),
            mebibytes(GROWTH)
        ),
    );
    promise(
        "no thread and no file is left behind",
        seen.after.threads <= seen.before.threads && seen.after.files <= seen.before.files,
        format!(
            "threads {} → {}, files {} → {}",
            seen.before.threads, seen.after.threads, seen.before.files, seen.after.files
        ),
    );
    promises
}

/// Returns the number of spans that do not match the number of roots.
fn torn(delivered: &Delivered) -> u64 {
    let of = delivered.received.values();
    of.map(|traces| (CHILDREN * traces.roots).abs_diff(traces.children))
        .sum()
}

/// Returns the growth from the median of the second fifth to that of the last fifth.
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
        ("run", asked.runs.to_string()),
        ("most fuel of one", asked.fuel.to_string()),
        ("not chosen", causes.join(", ")),
        ("traces", asked.roots.to_string()),
        ("changes of files", disturbed.files.to_string()),
        ("members of the zoo", disturbed.zoo.to_string()),
        ("changes of the registries", disturbed.registry.to_string()),
        ("chains", delivered.chains.to_string()),
        ("refusals", delivered.refusals.to_string()),
        (
            "half of the selections",
            format!("{:?}", asked.times.share(0.5)),
        ),
        ("99 of 100", format!("{:?}", asked.times.share(0.99))),
        ("999 of 1000", format!("{:?}", asked.times.share(0.999))),
        ("the longest", format!("{:?}", asked.times.longest)),
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
        writeln!(f, "| what was done | |\n|---|---|")?;
        for (what, seen) in &self.done {
            writeln!(f, "| {what} | {seen} |")?;
        }
        writeln!(f, "\n| promise | kept | seen |\n|---|---|---|")?;
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

    /// A successful soak test.
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
    fn kept_promises_pass() {
        let verdict = of(well());
        assert!(verdict.is_kept(), "{verdict}");
    }

    /// Each promise can be broken on its own.
    #[test]
    fn broken_promises_are_reported() {
        type Break = (&'static str, fn(&mut Seen));
        let breaks: [Break; 11] = [
            ("names a registered", |seen| {
                seen.asked.unregistered.note_if(true, String::new);
            }),
            ("what its bytes answer", |seen| {
                seen.asked.foreign.note_if(true, String::new);
            }),
            ("than its fuel", |seen| {
                seen.asked.dear.note_if(true, String::new)
            }),
            ("something was selected", |seen| seen.delivered.refusals = 0),
            ("that was started", |seen| seen.asked.recording += 1),
            ("that ended", |seen| seen.delivered.taken -= 1),
            ("in one tracer", |seen| {
                let traces = seen.delivered.received.get_mut("datadog").unwrap();
                traces.children -= 1;
            }),
            ("keeps no other", |seen| seen.delivered.timed_out = true),
            ("nothing panics", |seen| seen.panics = 1),
            ("memory is flat", |seen| seen.resident[48..].fill(200 << 20)),
            ("left behind", |seen| seen.after.threads = 1),
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
