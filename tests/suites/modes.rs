//! The modes of a component selector: cached, fresh for each decision, and stateful.

use spanmux::{
    Budget, Chain, Choice, Fallback, Limits, Mode, Origin, RootSpan, RuntimeContext, Selector,
    SelectorsDirectory, TracerNames, TracerRegistry,
};
use spanmux_tests::{
    chose, decide, environment, fallback, fuel, guest, host, host_within, limits, load,
};

fn named(names: &[&str]) -> TracerNames {
    TracerNames::new(names.iter().copied())
}

fn choice(selector: &dyn Selector, names: &TracerNames) -> Choice {
    selector
        .decision(&RuntimeContext::empty().view(), names)
        .choice
}

#[test]
fn component_is_cached_by_default() {
    let host = host();
    let selector = host
        .load("by-environment", &guest("by-environment"))
        .unwrap();
    assert_eq!(selector.mode(), Mode::Cached);
    for mode in [Mode::Fresh, Mode::Stateful] {
        let selector = selector.with_mode(mode);
        assert_eq!(selector.mode(), mode);
        let runs = [(); 3].map(|()| decide(&selector, &environment("test")));
        assert!(
            runs.iter()
                .all(|run| chose(run, "console") && fuel(run) > 0)
        );
        assert_eq!(selector.explain(&named(&["a"])).tree, None);
    }
    let first = decide(&selector, &environment("test"));
    let second = decide(&selector, &environment("test"));
    assert!(fuel(&first) > 0 && chose(&second, "console"));
    assert_eq!(second.origin, Origin::Cached);
}

#[test]
fn clones_share_the_cache_and_with_mode_starts_an_empty_one() {
    let selector = host()
        .load("by-environment", &guest("by-environment"))
        .unwrap();
    let names = named(&spanmux_tests::TRACERS);
    let context = environment("test");
    let origin = |selector: &dyn Selector| selector.decision(&context.view(), &names).origin;
    assert_ne!(origin(&selector), Origin::Cached);
    assert_eq!(origin(&selector.clone()), Origin::Cached);
    assert_ne!(origin(&selector.with_mode(Mode::Cached)), Origin::Cached);
    let explanation = selector.explain(&names);
    assert_eq!((explanation.runs, explanation.hits), (1, 1));
    assert_eq!(explanation.selector, "by-environment");
    assert_eq!(explanation.digest.as_deref(), selector.digest());
}

#[test]
fn selection_reports_a_cache_hit() {
    let selector = host()
        .load("by-environment", &guest("by-environment"))
        .unwrap();
    let registry = TracerRegistry::<()>::new();
    registry.register("console", ()).unwrap();
    registry.set_selectors(Chain::from(selector));
    let context = environment("test");
    assert!(matches!(
        registry.select(&context.view()).origin(),
        Origin::Run(_)
    ));
    let selection = registry.select(&context.view());
    assert_eq!(selection.origin(), Origin::Cached);
    assert_eq!(selection.tracer_name(), Some("console"));
    assert_eq!(selection.selector_name(), Some("by-environment"));
    // Another list of tracers is another key of the cache.
    registry.register("langfuse", ()).unwrap();
    assert!(matches!(
        registry.select(&context.view()).origin(),
        Origin::Run(_)
    ));
    assert_eq!(registry.select(&context.view()).origin(), Origin::Cached);
}

#[test]
fn origin_is_a_run_when_part_of_the_chain_ran() {
    let host = host();
    let known = host
        .load("by-environment", &guest("by-environment"))
        .unwrap();
    let fresh = load(&host, "console", &guest("console"));
    let registry = TracerRegistry::<()>::new();
    registry.register("console", ()).unwrap();
    registry.set_selectors(Chain::from(known).then(fresh));
    let context = environment("elsewhere");
    for _ in 0..2 {
        let selection = registry.select(&context.view());
        assert!(
            matches!(selection.origin(), Origin::Run(_)),
            "{selection:?}"
        );
        assert_eq!(selection.selector_name(), Some("console"));
    }
}

#[test]
fn stateful_selector_keeps_its_state() {
    let selector = host().load("takes-turns", &guest("takes-turns")).unwrap();
    let names = named(&["a", "b", "c"]);
    let stateful = selector.with_mode(Mode::Stateful);
    for turn in ["a", "b", "c", "a", "b"] {
        assert_eq!(choice(&stateful, &names), names.choose(turn));
    }
    // Clones share the instance. A selector with another mode has its own instance or none.
    assert_eq!(choice(&stateful.clone(), &names), names.choose("c"));
    let other = stateful.with_mode(Mode::Stateful);
    assert_eq!(choice(&other, &names), names.choose("a"));
    let fresh = stateful.with_mode(Mode::Fresh);
    for _ in 0..3 {
        assert_eq!(choice(&fresh, &names), names.choose("a"));
    }
}

#[test]
fn stateful_selector_restarts_after_a_fault() {
    let host = host_within(limits().fuel(1_000_000));
    let selector = host.load("takes-turns", &guest("takes-turns")).unwrap();
    let stateful = selector.with_mode(Mode::Stateful);
    let names = named(&["a", "b", "c"]);
    for (stops, expected) in [
        (named(&["a"]), None),
        (
            named(&["a", "b"]),
            Some(Fallback::OutOfBudget(Budget::Fuel)),
        ),
    ] {
        assert_eq!(choice(&stateful, &names), names.choose("a"));
        assert_eq!(choice(&stateful, &names), names.choose("b"));
        let stopped = stateful.decision(&RuntimeContext::empty().view(), &stops);
        let why = fallback(&stopped).expect("it was stopped");
        assert!(matches!(why, Fallback::Trapped(_)) || Some(why) == expected.as_ref());
        assert_eq!(choice(&stateful, &names), names.choose("a"));
        assert!(matches!(choice(&stateful, &stops), Choice::Fallback(_)));
    }
}

#[test]
fn stateful_selector_has_a_budget_for_each_decision() {
    let selector = host().load("takes-turns", &guest("takes-turns")).unwrap();
    let names = named(&["a", "b", "c"]);
    let needed = {
        let stateful = selector.with_mode(Mode::Stateful);
        fuel(&stateful.decision(&RuntimeContext::empty().view(), &names))
    };
    // Enough for one decision, and far too little for a hundred.
    let tight = host_within(limits().fuel(3 * needed));
    let stateful = tight.load("takes-turns", &guest("takes-turns")).unwrap();
    let stateful = stateful.with_mode(Mode::Stateful);
    for turn in ["a", "b", "c"].iter().cycle().take(100) {
        assert_eq!(choice(&stateful, &names), names.choose(turn));
    }
}

#[test]
fn stateful_decisions_run_one_at_a_time() {
    let selector = host().load("takes-turns", &guest("takes-turns")).unwrap();
    let stateful = selector.with_mode(Mode::Stateful);
    let names = named(&["a", "b", "c", "d"]);
    let counts = std::sync::Mutex::new(std::collections::BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let choice = format!("{:?}", choice(&stateful, &names));
                    *counts.lock().unwrap().entry(choice).or_insert(0) += 1;
                }
            });
        }
    });
    let counts = counts.into_inner().unwrap();
    assert_eq!(
        counts.values().copied().collect::<Vec<i32>>(),
        [25; 4],
        "{counts:?}"
    );
}

#[test]
fn decisions_on_span_attributes_are_cached() {
    let context = RuntimeContext::empty();
    let attributes = RuntimeContext::from_json(r#"{"environment": "test"}"#).unwrap();
    let asker = host().load("asker", &guest("asker")).unwrap();
    let names = named(&["get", "span.environment", "ttest"]);
    for (count, origin) in [(0, false), (1, true)] {
        let span = RootSpan::with_attributes("name", "server", &attributes);
        let decision = asker.decision(&context.view_with_span(&span), &names);
        assert_eq!(decision.choice, names.choose("ttest"), "{count}");
        assert_eq!(decision.origin == Origin::Cached, origin);
    }
    let decision = asker.decision(&context.view(), &names);
    assert_eq!(decision.choice, names.choose("-"));
}

#[test]
fn directory_applies_the_configured_modes() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["10-turns.wasm", "20-turns.wasm"] {
        std::fs::write(folder.path().join(name), guest("takes-turns")).unwrap();
    }
    let report = SelectorsDirectory::new(folder.path(), host())
        .with_mode("20-turns", Mode::Stateful)
        .with_mode("30-absent", Mode::Fresh)
        .load()
        .unwrap();
    let modes: Vec<_> = report.loaded().map(|selector| selector.mode()).collect();
    assert_eq!(modes, [Mode::Cached, Mode::Stateful]);
    let names = named(&["a", "b", "c"]);
    let second = report.loaded().nth(1).unwrap();
    assert_eq!(choice(second, &names), names.choose("a"));
    assert_eq!(choice(second, &names), names.choose("b"));
}

#[test]
fn stateful_instances_do_not_occupy_sandboxes() {
    let host = host_within(limits().sandboxes(1));
    let names = named(&["a", "b", "c"]);
    let selector = host.load("takes-turns", &guest("takes-turns")).unwrap();
    let kept: Vec<_> = (0..Limits::STATEFUL)
        .map(|_| selector.with_mode(Mode::Stateful))
        .collect();
    for turn in ["a", "b"] {
        for stateful in &kept {
            assert_eq!(choice(stateful, &names), names.choose(turn));
        }
    }
    let fresh = selector.with_mode(Mode::Fresh);
    assert_eq!(choice(&fresh, &names), names.choose("a"));
}
