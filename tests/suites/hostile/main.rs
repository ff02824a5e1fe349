//! Every attack by a component, as a service meets it: in a directory, behind a registry with a
//! fallback tracer. The table records the selected tracer, the cause, the longest duration, and the
//! memory of the process. The suite has its own process.

mod made;

use std::fs;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use spanmux::{
    Cause, Fallback, Limits, LoadError, LoadReport, Mode, Origin, RuntimeContext, Selector as _,
    SelectorHost, SelectorsDirectory, TracerRegistry,
};
use spanmux_tests::kept::Kept;
use spanmux_tests::{component, folder_of, host_within, resident_bytes, text};

/// Number of decisions of each component that loads.
const DECISIONS: usize = 20;

/// The most memory that all attacks together may leave: the allocator retains some of the threads
/// that compiled the largest files. The suite `memory` repeats attacks within a smaller bound.
const LEFT: usize = 256 << 20;

const FALLBACK: &str = "quarantine";

/// The name of an attack, its description, and its file.
type Attack = (String, String, PathBuf);

/// A single test, so that no other test's memory is counted.
#[test]
fn every_attack_is_contained() {
    let panics = count_panics();
    let folder = tempfile::tempdir().unwrap();
    let attacks = attacks(folder.path());
    // Runs first, so that the memory that the allocator retains is there before the table is
    // measured.
    every_failing_attack_is_suspended_under_its_name(&attacks);
    table_matches_the_document(&attacks);
    assert_eq!(panics.load(Ordering::Relaxed), 0, "panics");
}

fn table_matches_the_document(attacks: &[Attack]) {
    let mut table = Kept::new(
        "hostile-components.md",
        "attacks",
        &[
            "attack",
            "what it does",
            "the caller got",
            "recorded",
            "longest",
            "memory",
        ],
        4,
    );
    let host = host_within(
        Limits::default()
            // A long time limit: fuel ends the runs that it can end, even on a busy machine.
            .wall_clock(Duration::from_secs(600))
            // Every decision is a run.
            .suspend_after(0)
            .engines(1),
    );
    // Open everything that stays open before the first row.
    let context = RuntimeContext::builder()
        .set("environment", "production")
        .build();
    Trial::of(&host, &attacks[0].2).run(&context);
    let before = resident_bytes().unwrap_or_default();
    for (name, attack, file) in attacks {
        let memory = resident_bytes().unwrap_or_default();
        let trial = Trial::of(&host, file);
        let (loading, outcome) = (trial.loading, trial.run(&context));
        drop(trial);
        let after = resident_bytes().unwrap_or_default();
        let longest = loading.max(outcome.longest);
        table.row([
            format!("`{name}`"),
            attack.clone(),
            outcome.got,
            outcome.recorded,
            format!("{} ms", longest.as_millis()),
            format!("{} → {} MiB", memory >> 20, after >> 20),
        ]);
    }
    table.hold();
    let left = resident_bytes().unwrap_or_default().saturating_sub(before);
    assert!(left < LEFT, "{left} bytes are left behind");
}

/// Counts the panics of this process, including caught ones.
fn count_panics() -> Arc<AtomicU64> {
    let panics = Arc::new(AtomicU64::new(0));
    let (counted, before) = (panics.clone(), panic::take_hook());
    panic::set_hook(Box::new(move |info| {
        counted.fetch_add(1, Ordering::Relaxed);
        before(info);
    }));
    panics
}

/// Writes the zoo and the generated attacks to a folder. Their bytes are freed before anything is
/// measured.
fn attacks(folder: &Path) -> Vec<Attack> {
    let entries = fs::read_dir(folder_of("zoo")).unwrap();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut names: Vec<String> = entries.map(|entry| stem(entry.unwrap().path())).collect();
    names.sort_unstable();
    let write = |name: &str, attack: String, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        (name.to_owned(), attack, path)
    };
    let zoo = names.iter().map(|name| {
        let text = text("zoo", name);
        let head = text.lines().map_while(|line| line.strip_prefix(";; "));
        write(name, head.collect::<Vec<_>>().join(" "), &component(&text))
    });
    let made = made::made().into_iter();
    zoo.chain(made.map(|(name, attack, bytes)| write(name, attack.to_owned(), &bytes)))
        .collect()
}

/// An attack in its own directory.
struct Trial {
    registry: TracerRegistry<()>,
    report: LoadReport,
    loading: Duration,
    fuel: u64,
}

/// The result of an attack.
struct Outcome {
    got: String,
    recorded: String,
    longest: Duration,
}

impl Trial {
    fn of(host: &SelectorHost, file: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(file, folder.path().join("50-attack.wasm")).unwrap();
        let begun = Instant::now();
        let directory = SelectorsDirectory::new(folder.path(), host.clone());
        let report = directory
            .with_mode("50-attack", Mode::Fresh)
            .load()
            .unwrap();
        let loading = begun.elapsed();
        let registry = TracerRegistry::new();
        for name in ["langfuse", "datadog", "console", FALLBACK] {
            registry.register(name, ()).unwrap();
        }
        registry.set_fallback(Some(FALLBACK)).unwrap();
        registry.set_selectors(report.chain());
        // The report names the file, whatever its outcome.
        assert_eq!(report.files()[0].name(), "50-attack");
        Self {
            registry,
            report,
            loading,
            fuel: host.limits().fuel,
        }
    }

    /// Decides repeatedly. Every decision has the same outcome.
    fn run(&self, context: &RuntimeContext) -> Outcome {
        let mut longest = Duration::ZERO;
        let mut outcomes: Vec<(String, Option<Fallback>)> = Vec::new();
        for _ in 0..DECISIONS {
            let begun = Instant::now();
            let selection = self.registry.select(&context.view());
            longest = longest.max(begun.elapsed());
            if let Origin::Run(cost) = selection.origin() {
                assert!(cost.fuel <= self.fuel, "{selection:?}");
            }
            assert_eq!(
                selection.selector_name().unwrap_or("50-attack"),
                "50-attack"
            );
            let name = selection.tracer_name().expect("a registered tracer");
            assert!(self.registry.contains(name));
            outcomes.push((name.to_owned(), selection.fallback().cloned()));
        }
        let (name, fallback) = outcomes[0].clone();
        assert!(
            outcomes.iter().all(|outcome| outcome.0 == name),
            "{outcomes:?}"
        );
        let kind = fallback.as_ref().map(Fallback::cause);
        let kinds = outcomes
            .iter()
            .map(|outcome| outcome.1.as_ref().map(Fallback::cause));
        assert!(
            kinds.eq(std::iter::repeat_n(kind, DECISIONS)),
            "{outcomes:?}"
        );
        Outcome {
            got: name,
            recorded: self.recorded(fallback),
            longest,
        }
    }

    fn recorded(&self, fallback: Option<Fallback>) -> String {
        let refused = self.report.files()[0].outcome.as_ref().err();
        match (refused, fallback) {
            (Some(error), Some(Fallback::Unavailable(_))) => format!("refused: {}", word(error)),
            (None, Some(Fallback::OutOfBudget(budget))) => format!("out_of_budget: {budget}"),
            (None, Some(fallback)) => fallback.cause().to_string(),
            (None, None) => "chosen".to_owned(),
            (Some(error), other) => panic!("{error}, and then {other:?}"),
        }
    }
}

/// Returns the name of the variant, as `Debug` writes it.
fn word(error: &LoadError) -> String {
    let text = format!("{error:?}");
    text.split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap()
        .to_owned()
}

/// With the default limits, every component that keeps failing is suspended under its own name.
fn every_failing_attack_is_suspended_under_its_name(attacks: &[Attack]) {
    let host = host_within(
        Limits::default()
            .wall_clock(Duration::from_secs(600))
            .suspend_first(Duration::from_secs(3600))
            .suspend_longest(Duration::from_secs(3600))
            .engines(1),
    );
    let mut suspended = 0;
    for (name, _, file) in attacks {
        let Ok(selector) = host.load(name, &fs::read(file).unwrap()) else {
            continue;
        };
        let selector = selector.with_mode(Mode::Fresh);
        let context = RuntimeContext::empty();
        let kinds: Vec<Option<Cause>> = (0..7)
            .map(|_| spanmux_tests::decide(&selector, &context))
            .map(|decision| spanmux_tests::fallback(&decision).map(Fallback::cause))
            .collect();
        let breaks = matches!(
            kinds[0],
            Some(Cause::Trapped | Cause::OutOfBudget | Cause::Host)
        );
        assert_eq!(selector.suspension().is_some(), breaks, "{name}: {kinds:?}");
        if breaks {
            suspended += 1;
            assert_eq!(kinds[..5], [kinds[0]; 5], "{name}");
            assert_eq!(kinds[5..], [Some(Cause::Suspended); 2], "{name}");
            assert_eq!(selector.name(), *name);
        }
    }
    assert!(suspended > 20, "{suspended}");
}
