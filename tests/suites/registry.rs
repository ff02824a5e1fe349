//! The tracer registry, compared with the registry that it replaces.
//!
//! Each test is one row of that registry's table and has a name that describes the row; the rows of
//! its selector follow. Each test first checks what an application that was written for that
//! registry relies on, and then what is improved here.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use spanmux::{
    Cause, Chain, Choice, Fallback, Lifecycle, Reason, RegisterError, RuntimeContext, Selector,
    TracerRegistry, selector_fn,
};

/// A tracer that counts calls.
#[derive(Debug, Default)]
struct Probe {
    flushed: AtomicU32,
    shut_down: AtomicU32,
    fails: bool,
}

impl Probe {
    fn failing() -> Self {
        Self {
            fails: true,
            ..Self::default()
        }
    }

    fn shut_downs(&self) -> u32 {
        self.shut_down.load(Ordering::SeqCst)
    }
}

impl Lifecycle for Probe {
    fn force_flush(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.flushed.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn shutdown(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.shut_down.fetch_add(1, Ordering::SeqCst);
        if self.fails {
            return Err("the backend is gone".into());
        }
        Ok(())
    }
}

fn registry(names: &[&str]) -> TracerRegistry<Probe> {
    let registry = TracerRegistry::new();
    for name in names {
        registry.register(*name, Probe::default()).unwrap();
    }
    registry
}

fn default_name(registry: &TracerRegistry<Probe>) -> Option<String> {
    registry.default_tracer().map(|(name, _)| name)
}

fn names(registry: &TracerRegistry<Probe>) -> Vec<String> {
    registry.names().as_slice().to_vec()
}

fn chain(selector: impl Selector + 'static) -> Chain {
    Chain::from(selector)
}

fn failed(fallback: Fallback) -> Reason {
    Reason::Failed(Box::new(fallback))
}

/// Returns the tracer for an empty context, and the fallback cause.
fn selected(registry: &TracerRegistry<Probe>) -> (Option<String>, Reason) {
    let selection = registry.select(&RuntimeContext::empty().view());
    (
        selection.tracer_name().map(str::to_owned),
        selection.reason().clone(),
    )
}

// Registry

#[test]
fn duplicate_name_is_an_error_and_changes_nothing() {
    let registry = registry(&["langfuse", "datadog"]);
    let before = registry.get("datadog").unwrap();

    let error = registry
        .register_default("datadog", Probe::default())
        .unwrap_err();

    assert_eq!(
        error,
        RegisterError::Duplicate {
            name: "datadog".to_owned()
        }
    );
    assert!(error.to_string().contains("\"datadog\""), "{error}");
    assert_eq!(names(&registry), ["langfuse", "datadog"]);
    assert_eq!(default_name(&registry).as_deref(), Some("langfuse"));
    assert!(Arc::ptr_eq(&before, &registry.get("datadog").unwrap()));
}

#[test]
fn default_is_the_first_tracer_or_the_last_one_registered_as_default() {
    let registry = registry(&["a", "b"]);
    assert_eq!(default_name(&registry).as_deref(), Some("a"));
    registry.register_default("c", Probe::default()).unwrap();
    assert_eq!(default_name(&registry).as_deref(), Some("c"));
    registry.register_default("d", Probe::default()).unwrap();
    registry.register("e", Probe::default()).unwrap();
    assert_eq!(default_name(&registry).as_deref(), Some("d"));
}

#[test]
fn names_compare_exactly_and_the_empty_name_is_refused() {
    // Differences in case, white space and Unicode form: é as one character and as two.
    let different = [
        "console",
        "Console",
        "console ",
        " console",
        "caf\u{e9}",
        "cafe\u{301}",
        "\n",
    ];
    let registry = registry(&different);
    assert_eq!(names(&registry), different);
    for name in different {
        assert!(registry.contains(name), "{name:?}");
    }
    assert!(!registry.contains("CONSOLE"));

    let error = registry.register("", Probe::default()).unwrap_err();
    assert_eq!(error, RegisterError::EmptyName);
    assert!(error.to_string().contains("empty"), "{error}");
    let long = registry
        .register("x".repeat(257), Probe::default())
        .unwrap_err();
    assert!(matches!(
        long,
        RegisterError::TooLong {
            bytes: 257,
            limit: 256,
            ..
        }
    ));
    assert_eq!(names(&registry).len(), different.len());
}

#[test]
fn instance_with_several_names_is_shut_down_once() {
    let shared = Arc::new(Probe::default());
    let registry = TracerRegistry::new();
    registry.register("production", shared.clone()).unwrap();
    registry.register("staging", shared.clone()).unwrap();
    registry.register("console", Probe::default()).unwrap();

    let report = registry.shutdown();

    assert_eq!(report.succeeded, ["production", "console"]);
    assert_eq!(shared.shut_downs(), 1);
}

#[test]
fn lookups_return_the_registered_tracers() {
    let registry = registry(&["a", "b"]);
    let (name, tracer) = registry.default_tracer().unwrap();
    assert_eq!(name, "a");
    assert!(Arc::ptr_eq(&tracer, &registry.get("a").unwrap()));
    assert!(registry.get("missing").is_none());
    assert!(registry.contains("b") && !registry.contains("missing"));

    // The list is a copy, so changes to it do not affect the registry.
    let mut list = registry.list();
    list.clear();
    assert_eq!(names(&registry), ["a", "b"]);
}

#[test]
fn unregister_promotes_the_first_remaining_tracer() {
    let registry = registry(&["a", "b", "c"]);
    let gone = registry.get("a").unwrap();

    assert!(registry.unregister("a"));

    assert!(!registry.unregister("a"));
    assert_eq!(gone.shut_downs(), 0, "its open traces still end in it");
    assert_eq!(default_name(&registry).as_deref(), Some("b"));
    assert!(registry.unregister("c"));
    assert_eq!(default_name(&registry).as_deref(), Some("b"));
    assert!(registry.unregister("b"));
    assert_eq!(default_name(&registry), None);
    // The name is free again, and the first tracer becomes the default again.
    registry.register("c", Probe::default()).unwrap();
    assert_eq!(default_name(&registry).as_deref(), Some("c"));
}

#[test]
fn explicit_default_stays_when_an_earlier_tracer_is_removed() {
    let registry = registry(&["a", "b"]);
    registry.register_default("c", Probe::default()).unwrap();
    assert!(registry.unregister("a"));
    assert_eq!(default_name(&registry).as_deref(), Some("c"));
    assert_eq!(selected(&registry).0.as_deref(), Some("c"));
}

#[test]
fn clear_drops_tracers_default_and_selectors_without_shutdown() {
    let registry = registry(&["a"]);
    let tracer = registry.get("a").unwrap();
    registry.set_selectors(chain(selector_fn("b", |_, tracers| tracers.choose("b"))));

    registry.clear();

    assert_eq!(tracer.shut_downs(), 0);
    assert_eq!(names(&registry), [] as [&str; 0]);
    assert_eq!(default_name(&registry), None);
    assert!(registry.selectors().is_empty());
    assert_eq!(selected(&registry), (None, Reason::NoTracers));
}

#[test]
fn shutdown_reports_failures_and_can_be_repeated() {
    let registry = TracerRegistry::new();
    let last = Arc::new(Probe::default());
    registry.register("broken", Probe::failing()).unwrap();
    registry.register("fine", last.clone()).unwrap();

    let report = registry.shutdown();

    assert_eq!(report.succeeded, ["fine"]);
    assert_eq!(report.failed.len(), 1);
    assert_eq!(
        report.failed[0].to_string(),
        "tracer \"broken\": the backend is gone"
    );
    assert_eq!(last.shut_downs(), 1);
    assert!(registry.names().is_empty());
    assert_eq!(registry.shutdown(), Default::default());
    assert_eq!(last.shut_downs(), 1);
}

#[test]
fn shutdown_survives_a_panicking_tracer() {
    struct Panics;
    impl Lifecycle for Panics {
        fn shutdown(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
            panic!("poisoned")
        }
    }
    let registry = TracerRegistry::new();
    registry.register("bad", Panics).unwrap();
    let report = registry.shutdown();
    assert_eq!(report.failed[0].message, "panicked: poisoned");
}

#[test]
fn flush_keeps_the_tracers_registered() {
    let registry = registry(&["a", "b"]);
    assert_eq!(registry.force_flush().succeeded, ["a", "b"]);
    assert_eq!(registry.get("a").unwrap().flushed.load(Ordering::SeqCst), 1);
    assert_eq!(names(&registry), ["a", "b"]);
}

#[test]
fn registries_are_independent() {
    let (one, two) = (registry(&["a"]), registry(&["b"]));
    assert!(!one.contains("b") && !two.contains("a"));
    one.clear();
    assert!(two.contains("b"));
}

#[test]
fn names_keep_the_order_of_registration() {
    let registry = registry(&["b", "10", "a", "2"]);
    assert_eq!(names(&registry), ["b", "10", "a", "2"]);
    assert_eq!(default_name(&registry).as_deref(), Some("b"));
}

// Selector

#[test]
fn selector_gets_read_only_names_and_context() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let registry = registry(&["b", "a"]);
    registry.set_selectors(chain(selector_fn("probe", {
        let seen = seen.clone();
        move |context, tracers| {
            *seen.lock().unwrap() = tracers.as_slice().to_vec();
            tracers.choose(context.text("wish").unwrap_or("b"))
        }
    })));
    let context = RuntimeContext::builder().set("wish", "a").build();

    let selection = registry.select(&context.view());

    assert_eq!(selection.tracer_name(), Some("a"));
    assert_eq!(selection.selector_name(), Some("probe"));
    assert_eq!(*seen.lock().unwrap(), ["b", "a"]);
}

#[test]
fn selector_runs_only_when_a_tracer_is_registered() {
    let asked = Arc::new(AtomicU32::new(0));
    let registry = TracerRegistry::new();
    registry.set_selectors(chain(selector_fn("counts", {
        let asked = asked.clone();
        move |_, _| {
            asked.fetch_add(1, Ordering::SeqCst);
            Choice::Abstain
        }
    })));
    assert_eq!(selected(&registry), (None, Reason::NoTracers));
    assert_eq!(asked.load(Ordering::SeqCst), 0);

    registry.register("only", Probe::default()).unwrap();
    assert_eq!(
        selected(&registry),
        (Some("only".to_owned()), Reason::Abstained)
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// An abstention, the empty name, a wrong name, an error and a panic select the default tracer,
/// with the reason.
#[test]
fn invalid_answer_selects_default() {
    type Answer = fn(&spanmux::TracerNames) -> Choice;
    let rows: [(&str, Answer, Reason); 6] = [
        ("nothing", |_| Choice::Abstain, Reason::Abstained),
        (
            "the empty name",
            |t| t.choose(""),
            failed(Fallback::UnknownTracer(String::new())),
        ),
        (
            "a wrong name",
            |t| t.choose("nope"),
            failed(Fallback::UnknownTracer("nope".to_owned())),
        ),
        (
            "another case",
            |t| t.choose("B"),
            failed(Fallback::UnknownTracer("B".to_owned())),
        ),
        (
            "an error",
            |_| Choice::failed("no tenant"),
            failed(Fallback::Failed("no tenant".to_owned())),
        ),
        (
            "a panic",
            |_| panic!("ouch"),
            failed(Fallback::Trapped("panicked: ouch".to_owned())),
        ),
    ];
    for (row, answer, expected) in rows {
        let registry = registry(&["a", "b"]);
        registry.set_selectors(chain(selector_fn("s", move |_, tracers| answer(tracers))));
        let found = selected(&registry);
        assert_eq!(found, (Some("a".to_owned()), expected.clone()), "{row}");
        assert_eq!(
            registry.counts().count(expected.cause().unwrap()),
            1,
            "{row} is counted"
        );
        assert_eq!(registry.counts().total(), 1, "{row} is counted once");
    }
}

#[test]
fn name_from_another_registry_is_unknown() {
    let registry = registry(&["a"]);
    let other = spanmux::TracerNames::new(["x", "y", "z"]);
    registry.set_selectors(chain(selector_fn("s", move |_, _| other.choose("z"))));
    let (tracer, reason) = selected(&registry);
    assert_eq!(tracer.as_deref(), Some("a"));
    assert_eq!(reason.cause(), Some(Cause::UnknownTracer));
}

#[test]
fn failed_decision_selects_the_fallback_tracer() {
    let registry = registry(&["default", "quarantine"]);
    let error = registry.set_fallback(Some("quarantin")).unwrap_err();
    assert!(error.to_string().contains("default, quarantine"), "{error}");
    registry.set_fallback(Some("quarantine")).unwrap();

    registry.set_selectors(chain(selector_fn("fails", |_, _| {
        Choice::failed("unknown tenant")
    })));
    assert_eq!(selected(&registry).0.as_deref(), Some("quarantine"));
    // An abstention is not a failure.
    registry.set_selectors(chain(selector_fn("abstains", |_, _| Choice::Abstain)));
    assert_eq!(selected(&registry).0.as_deref(), Some("default"));
    registry.set_selectors(Chain::empty());
    assert_eq!(
        selected(&registry),
        (Some("default".to_owned()), Reason::NoSelector)
    );

    // A removed fallback tracer is no longer used.
    registry.set_selectors(chain(selector_fn("fails", |_, _| {
        Choice::failed("unknown tenant")
    })));
    assert!(registry.unregister("quarantine"));
    assert_eq!(selected(&registry).0.as_deref(), Some("default"));
}

#[test]
fn first_decision_or_failure_ends_the_chain() {
    let rows: [(&[&str], &str, Option<&str>); 4] = [
        (&["abstain", "b", "c"], "b", Some("1")),
        (&["c", "b"], "c", Some("0")),
        (&["abstain", "fail", "c"], "a", Some("1")),
        (&["abstain", "abstain"], "a", None),
    ];
    for (answers, tracer, by) in rows {
        let registry = registry(&["a", "b", "c"]);
        let selectors = answers.iter().enumerate().map(|(place, answer)| {
            let answer = (*answer).to_owned();
            Arc::new(selector_fn(
                place.to_string(),
                move |_, tracers| match &*answer {
                    "abstain" => Choice::Abstain,
                    "fail" => Choice::failed("on purpose"),
                    name => tracers.choose(name),
                },
            )) as Arc<dyn Selector>
        });
        registry.set_selectors(Chain::from_iter(selectors));
        let selection = registry.select(&RuntimeContext::empty().view());
        assert_eq!(selection.tracer_name(), Some(tracer), "{answers:?}");
        assert_eq!(selection.selector_name(), by, "{answers:?}");
    }
}

#[test]
fn selection_keeps_its_tracer_after_unregister() {
    let registry = registry(&["a"]);
    let selection = registry.select(&RuntimeContext::empty().view());
    assert!(registry.unregister("a"));
    assert_eq!(selection.tracer_name(), Some("a"));
    assert!(selection.tracer().is_some());
}

#[test]
fn concurrent_readers_and_writers_lose_no_change() {
    let registry = registry(&["stays"]);
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let registry = &registry;
            scope.spawn(move || {
                for round in 0..100 {
                    let name = format!("{writer}-{round}");
                    registry.register(name.as_str(), Probe::default()).unwrap();
                    if round % 2 == 0 {
                        assert!(registry.unregister(&name));
                    }
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    let selection = registry.select(&RuntimeContext::empty().view());
                    assert_eq!(selection.tracer_name(), Some("stays"));
                }
            });
        }
    });
    assert_eq!(registry.names().len(), 1 + 4 * 50);
    assert_eq!(registry.counts().total(), 4000);
    assert_eq!(registry.counts().count(Cause::NoSelector), 4000);
}

/// Returns each outcome as `tracer selector cause`.
fn outcomes(registry: &TracerRegistry<Probe>) -> Vec<(String, u64)> {
    let counts = registry.counts();
    let shown = counts.outcomes().map(|(outcome, count)| {
        let tracer = outcome.tracer.as_deref().unwrap_or("-");
        let selector = outcome.selector.as_deref().unwrap_or("-");
        let cause = outcome.cause.map_or("chosen", |kind| kind.as_str());
        (format!("{tracer} {selector} {cause}"), count)
    });
    shown.collect()
}

#[test]
fn selections_are_counted_by_tracer_selector_and_cause() {
    let registry = registry(&["a", "b", "quarantine"]);
    registry.set_fallback(Some("quarantine")).unwrap();
    let select = |tracer: &str| {
        let context = RuntimeContext::builder().set("tracer", tracer);
        registry.select(&context.build().view());
    };
    select("b");
    registry.set_selectors(Chain::from(selector_fn(
        "by-key",
        |context, tracers| match context.text("tracer") {
            Some("-") => Choice::Abstain,
            name => tracers.choose(name.unwrap_or_default()),
        },
    )));
    ["b", "b", "-", "nowhere"].into_iter().for_each(select);
    // The positions of the tracers change, their names do not.
    assert!(registry.unregister("a"));
    ["b", "-", "nowhere"].into_iter().for_each(select);
    let expected = [
        ("a - no_selector", 1),
        ("a - abstained", 1),
        ("b - abstained", 1),
        ("b by-key chosen", 3),
        ("quarantine by-key unknown_tracer", 2),
    ];
    let mut found = outcomes(&registry);
    found.sort();
    let mut expected = expected.map(|(shown, count)| (shown.to_owned(), count));
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(registry.counts().total(), 8);
    assert_eq!(registry.chains_set(), 1);

    registry.clear();
    select("b");
    assert_eq!(outcomes(&registry).len(), 6, "and without any tracer");
}

#[test]
fn counts_of_removed_tracers_are_bounded() {
    let registry = registry(&["stays"]);
    for round in 0..5_000 {
        let name = format!("tenant-{round}");
        registry
            .register_default(name.as_str(), Probe::default())
            .unwrap();
        registry.select(&RuntimeContext::empty().view());
        assert!(registry.unregister(&name));
    }
    let found = outcomes(&registry);
    assert!(found.len() <= 4_096 + 3, "{} rows", found.len());
    let others = found
        .iter()
        .find(|(shown, _)| shown.starts_with("(others)"));
    assert!(others.is_some_and(|(_, count)| *count > 800), "{others:?}");
    assert_eq!(registry.counts().total(), 5_000, "and none is lost");
}
