//! The part of the host that bindings for other languages share: a live policy, and decisions as
//! plain values.

mod events;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use spanmux::{Cause, Choice, Origin, RuntimeContext, RuntimeContextBuilder, selector_fn};
use spanmux_embed::{ExplainFormat, Policy, PolicyError, TracersError};
use spanmux_tests::folder_of;

const NAMES: [&str; 3] = ["console", "acme", "tenant-acme"];

/// An example selector.
fn example(name: &str) -> PathBuf {
    folder_of("../selectors").join(name)
}

/// A directory with these example selectors.
fn directory(names: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in names {
        fs::copy(example(name), directory.path().join(name)).unwrap();
    }
    directory
}

fn open(path: &Path) -> Policy {
    Policy::builder(path).watch(false).open().unwrap()
}

fn tenant(name: &str) -> RuntimeContext {
    RuntimeContext::builder().set("tenant", name).build()
}

fn wait_until(mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn component_decides_and_explains() {
    let policy = open(&example("20-tenant.wasm"));
    let tracers = policy.tracers(NAMES, Some("acme"), None).unwrap();
    let decided = tracers.decide(&tenant("acme").view());
    assert_eq!(decided.tracer.as_deref(), Some("tenant-acme"));
    assert_eq!(decided.selector.as_deref(), Some("20-tenant"));
    assert_eq!(decided.digest.map(|digest| digest.len()), Some(64));
    assert_eq!(decided.cause, None);

    let abstained = tracers.decide(&RuntimeContext::empty().view());
    assert_eq!(abstained.tracer.as_deref(), Some("acme"));
    assert_eq!(abstained.cause, Some(Cause::Abstained));
    assert_eq!(abstained.fallback(), None);

    let text = policy.explain(None, ExplainFormat::Text);
    assert!(text.contains("tenant-acme"), "{text}");
    let json = policy.explain(Some(&tracers), ExplainFormat::Json);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json.as_array().map(Vec::len), Some(1));
}

#[test]
fn recall_answers_without_a_run_or_not_at_all() {
    let policy = open(&example("20-tenant.wasm"));
    let tracers = policy.tracers(NAMES, None, None).unwrap();
    let context = tenant("acme");
    let pending = tracers.recall(&context.view()).unwrap_err();
    let chosen = pending.run(&context.view());
    assert_eq!(chosen.tracer_name(), Some("tenant-acme"));
    assert!(matches!(chosen.origin(), Origin::Run(_)));
    let recalled = tracers.recall(&context.view()).unwrap();
    assert_eq!(recalled.tracer_name(), Some("tenant-acme"));
    // An incomplete context needs no run.
    let limits = spanmux::ContextLimits::default().keys(0);
    let wrong = RuntimeContextBuilder::new(limits).set("x", 1).build();
    let recalled = tracers.recall(&wrong.view()).unwrap();
    assert_eq!(recalled.reason().cause(), Some(Cause::IncompleteContext));
}

#[test]
fn each_selector_is_asked_once_when_a_component_has_to_run() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let policy = Policy::builder(example("20-tenant.wasm"))
        .native_selector(selector_fn("counts", move |_, _| {
            counted.fetch_add(1, Ordering::Relaxed);
            Choice::Abstain
        }))
        .open()
        .unwrap();
    let tracers = policy.tracers(NAMES, None, None).unwrap();
    let context = tenant("acme");
    let pending = tracers.recall(&context.view()).unwrap_err();
    let chosen = pending.run(&context.view());
    assert_eq!(chosen.selector_name(), Some("20-tenant"));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn failed_decision_goes_to_the_fallback_with_its_cause() {
    let policy = Policy::builder(directory(&[]).path())
        .watch(false)
        .native_selector(selector_fn("wrong", |_, tracers| tracers.choose("nobody")))
        .open()
        .unwrap();
    let tracers = policy
        .tracers(NAMES, Some("console"), Some("acme"))
        .unwrap();
    let decided = tracers.decide(&RuntimeContext::empty().view());
    assert_eq!(decided.tracer.as_deref(), Some("acme"));
    assert_eq!(decided.fallback(), Some(Cause::UnknownTracer));
    assert_eq!(decided.reason, "no tracer is named \"nobody\"");
    assert_eq!(decided.digest, None);
}

#[test]
fn equal_lists_share_one_value() {
    let policy = open(&example("20-tenant.wasm"));
    let first = policy.tracers(NAMES, None, None).unwrap();
    let other = policy.tracers(NAMES, Some("acme"), None).unwrap();
    assert!(!Arc::ptr_eq(&first, &other));
    let again = policy.tracers(NAMES, None, None).unwrap();
    assert!(Arc::ptr_eq(&first, &again));
}

#[test]
fn lists_are_checked() {
    let policy = open(&example("20-tenant.wasm"));
    let error = policy.tracers(["a", "a"], None, None).unwrap_err();
    assert!(matches!(error, TracersError::Name(_)), "{error}");
    let error = policy.tracers(["a"], Some("b"), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the default tracer: no tracer is named \"b\"; registered are: a"
    );
    let error = policy.tracers(["a"], None, Some("b")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the fallback tracer: no tracer is named \"b\"; registered are: a"
    );
}

#[test]
fn changes_of_a_watched_directory_reach_every_list() {
    let directory = directory(&[]);
    let policy = Policy::builder(directory.path()).open().unwrap();
    let tracers = policy.tracers(NAMES, None, None).unwrap();
    let decide = || tracers.decide(&tenant("acme").view()).tracer;
    assert_eq!(decide().as_deref(), Some("console"));
    let from = example("20-tenant.wasm");
    fs::copy(from, directory.path().join("20-tenant.wasm")).unwrap();
    wait_until(|| decide().as_deref() == Some("tenant-acme"));

    policy.close();
    assert!(policy.status().is_none());
    fs::remove_file(directory.path().join("20-tenant.wasm")).unwrap();
    assert_eq!(decide().as_deref(), Some("tenant-acme"));
}

#[test]
fn configuration_file_orders_the_selectors() {
    let directory = directory(&["20-tenant.wasm"]);
    let path = directory.path().join("spanmux.toml");
    let text = "service = 'shop'\n\
                tracers.console.exporter = { type = 'console' }\n\
                [selectors]\ndirectory = '.'\nnative = ['last']\norder = ['*', 'last']\n";
    fs::write(&path, text).unwrap();
    let last = || selector_fn("last", |_, tracers| tracers.choose("acme"));
    for watch in [false, true] {
        let policy = Policy::builder(&path)
            .watch(watch)
            .native_selector(last())
            .open()
            .unwrap();
        let chain = policy.chain();
        let names: Vec<&str> = chain.selectors().map(|one| one.name()).collect();
        assert_eq!(names, ["20-tenant", "last"]);
        assert_eq!(policy.status().is_some(), watch);
    }
}

#[test]
fn configuration_file_restricts_a_selector() {
    let directory = directory(&["20-tenant.wasm"]);
    let path = directory.path().join("spanmux.toml");
    let text = "service = 'shop'\n\
                tracers.console.exporter = { type = 'console' }\n\
                [selectors]\ndirectory = '.'\n\
                [selectors.'20-tenant.wasm']\ntracers = ['quarantine']\n";
    fs::write(&path, text).unwrap();
    for watch in [false, true] {
        let policy = Policy::builder(&path).watch(watch).open().unwrap();
        let tracers = policy.tracers(NAMES, None, None).unwrap();
        // Fresh and cached.
        for _ in 0..600 {
            let decided = tracers.decide(&tenant("acme").view());
            assert_eq!(decided.fallback(), Some(Cause::ForbiddenTracer));
        }
    }
}

#[test]
fn child_of_a_fork_restarts_with_the_selectors_of_the_parent() {
    let directory = directory(&["20-tenant.wasm"]);
    let policy = Policy::builder(directory.path()).open().unwrap();
    let tracers = policy.tracers(NAMES, None, None).unwrap();
    let before = policy.status().unwrap().loads;
    policy.before_fork();
    policy.after_fork(true).unwrap();
    let decide = || tracers.decide(&tenant("acme").view()).tracer;
    assert_eq!(decide().as_deref(), Some("tenant-acme"));
    // The new watch serves the list.
    fs::remove_file(directory.path().join("20-tenant.wasm")).unwrap();
    wait_until(|| decide().as_deref() == Some("console"));
    assert_eq!(before, 1);
}

#[test]
fn run_outside_of_forks_is_awaited() {
    let policy = open(&example("20-tenant.wasm"));
    assert_eq!(policy.outside_of_forks(|| 7), 7);
    policy.before_fork();
    std::thread::scope(|scope| {
        let (send, ran) = std::sync::mpsc::channel();
        let policy = &policy;
        scope.spawn(move || policy.outside_of_forks(|| send.send(()).unwrap()));
        assert!(ran.try_recv().is_err());
        policy.after_fork(false).unwrap();
        ran.recv().unwrap();
    });
}

#[test]
fn mistakes_name_the_path_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let message = |path: &Path| match Policy::builder(path).open() {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error.to_string(),
    };
    let missing = folder.path().join("missing");
    assert!(message(&missing).starts_with("nothing exists at "));
    assert!(message(&file("notes.txt", "")).contains("neither a directory of selectors"));
    assert!(message(&file("a.wasm", "no component")).contains("a.wasm"));
    let mistakes = message(&file("spanmux.toml", "service = 3\ntracer = 4\n"));
    assert_eq!(mistakes.lines().count(), 3, "{mistakes}");

    let lock = Policy::builder(example("20-tenant.wasm"))
        .lock("selectors.lock")
        .open();
    let lock = lock.map(drop).unwrap_err();
    assert!(matches!(
        lock,
        PolicyError::NotApplicable {
            setting: "lock",
            ..
        }
    ));
}

mod asked_keys {
    use super::*;
    use spanmux::{ContextView, RootSpan, Value};
    use spanmux_embed::{AskedKeys, Tracers};

    const ALL: [&str; 5] = [
        "10-health-checks.wasm",
        "20-tenant.wasm",
        "30-rollout.wasm",
        "40-tier-region.wasm",
        "50-environment.wasm",
    ];

    /// The values of these keys in a view, as a binding hands them over. `None` if one is not plain.
    fn handed_over(view: &ContextView<'_>, asked: &AskedKeys) -> Option<RuntimeContext> {
        let mut builder = RuntimeContext::builder();
        for key in &asked.keys {
            builder = match view.get(key) {
                None => builder,
                Some(Value::Json(_)) => return None,
                Some(value) => builder.set(key, value),
            };
        }
        Some(builder.build())
    }

    /// Decides as a binding does. Returns the tracer and `true` for the fast route.
    fn decided(
        tracers: &Tracers,
        list: &mut Option<AskedKeys>,
        view: &ContextView<'_>,
    ) -> (Option<String>, Option<Cause>, bool) {
        let fast = list.as_ref().and_then(|asked| {
            let context = handed_over(view, asked)?;
            tracers.recall_asked(asked.generation, &context.view())
        });
        let is_fast = fast.is_some();
        let selection = fast.unwrap_or_else(|| tracers.select(view));
        let generation = tracers.number_of(&selection).map(|(it, _)| it);
        if generation != list.as_ref().map(|asked| asked.generation) {
            *list = tracers.asked_keys();
        }
        let tracer = selection.tracer_name().map(str::to_owned);
        (tracer, selection.reason().cause(), is_fast)
    }

    #[test]
    fn list_has_the_keys_of_learned_decisions_and_their_prefixes() {
        let directory = directory(&["20-tenant.wasm", "40-tier-region.wasm"]);
        let policy = open(directory.path());
        let tracers = policy.tracers(NAMES, None, None).unwrap();
        let empty = tracers.asked_keys().unwrap();
        assert_eq!(empty.keys, Vec::<String>::new());

        tracers.decide(&RuntimeContext::empty().view());
        let asked = tracers.asked_keys().unwrap();
        assert_eq!(asked.keys, ["tenant", "user.tier", "user"]);
        assert_ne!(asked.generation, empty.generation);
        assert!(
            tracers
                .recall_asked(empty.generation, &tenant("acme").view())
                .is_none()
        );

        // A further question changes the generation, and a further answer does not.
        let tier = RuntimeContext::builder().set("user.tier", "pro").build();
        tracers.decide(&tier.view());
        assert_eq!(tracers.asked_keys().unwrap(), asked);
        let tier = RuntimeContext::builder()
            .set("user.tier", "enterprise")
            .build();
        tracers.decide(&tier.view());
        let more = tracers.asked_keys().unwrap();
        assert_eq!(more.keys, ["tenant", "user.tier", "user", "region"]);
        assert_ne!(more.generation, asked.generation);
    }

    #[test]
    fn change_of_the_selectors_changes_the_generation() {
        let directory = directory(&["20-tenant.wasm"]);
        let policy = Policy::builder(directory.path()).open().unwrap();
        let tracers = policy.tracers(NAMES, None, None).unwrap();
        let context = tenant("acme");
        tracers.decide(&context.view());
        let asked = tracers.asked_keys().unwrap();
        let recalled = tracers.recall_asked(asked.generation, &context.view());
        assert_eq!(recalled.unwrap().tracer_name(), Some("tenant-acme"));

        fs::remove_file(directory.path().join("20-tenant.wasm")).unwrap();
        let recall = || tracers.recall_asked(asked.generation, &context.view());
        wait_until(|| recall().is_none());
        assert_ne!(tracers.asked_keys().unwrap().generation, asked.generation);
    }

    #[test]
    fn native_selector_may_ask_any_key() {
        let policy = Policy::builder(example("20-tenant.wasm"))
            .native_selector(selector_fn("abstains", |_, _| Choice::Abstain))
            .open()
            .unwrap();
        let tracers = policy.tracers(NAMES, None, None).unwrap();
        let selection = tracers.select(&tenant("acme").view());
        assert_eq!(tracers.asked_keys(), None);
        assert_eq!(tracers.number_of(&selection), None);
    }

    #[test]
    fn numbers_are_those_of_equal_decisions() {
        let policy = open(&example("20-tenant.wasm"));
        let tracers = policy.tracers(NAMES, None, None).unwrap();
        let number = |name: &str| {
            let selection = tracers.select(&tenant(name).view());
            let (generation, number) = tracers.number_of(&selection)?;
            Some((selection.tracer_name()?.to_owned(), generation, number))
        };
        let chosen = number("acme").unwrap();
        assert_eq!(number("acme").unwrap(), chosen);
        let other = number("initech");
        assert_ne!(other.map(|(_, _, number)| number), Some(chosen.2));
    }

    /// Both routes over random contexts and spans, while decisions are learned.
    #[test]
    fn decisions_are_those_of_the_whole_context() {
        let directory = directory(&ALL);
        let (policy, reference) = (open(directory.path()), open(directory.path()));
        let names = [
            "console",
            "langfuse",
            "langfuse-eu",
            "tenant-acme",
            "discard",
            "candidate",
        ];
        let tracers = policy.tracers(names, None, Some("langfuse")).unwrap();
        let expected = reference.tracers(names, None, Some("langfuse")).unwrap();
        let keys = [
            "tenant",
            "user",
            "user.tier",
            "user.id",
            "region",
            "environment",
            "span.name",
        ];
        let values = [
            "acme",
            "enterprise",
            "free",
            "eu",
            "production",
            "GET /healthz",
            "u-3",
            "",
        ];
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        let (mut list, mut fast) = (None, 0);
        for _ in 0..4_000 {
            let mut builder = RuntimeContext::builder();
            for key in keys {
                let text = values[random(values.len())];
                builder = match random(8) {
                    0 | 1 => builder.set(key, text),
                    2 => builder.set(key, random(5) as i64),
                    3 => builder.set_json(key, &serde_json::json!({"tier": text, "id": text})),
                    _ => builder,
                };
            }
            let context = builder.build();
            let nothing = RuntimeContext::empty();
            let span = RootSpan::with_attributes(values[random(values.len())], "server", &nothing);
            let view = if random(2) == 0 {
                context.view()
            } else {
                context.view_with_span(&span)
            };
            let whole = expected.select(&view);
            let (tracer, cause, is_fast) = decided(&tracers, &mut list, &view);
            assert_eq!(tracer.as_deref(), whole.tracer_name(), "{context:?}");
            assert_eq!(cause, whole.reason().cause(), "{context:?}");
            fast += usize::from(is_fast);
        }
        assert!(fast > 1_000, "{fast} decisions on the fast route");
    }
}
