//! Does a comparison of two policies find every changed rule, and nothing else?
//!
//! One policy in five languages, and for each line of `diff/mutations.tsv` the same policy with one
//! literal changed: real components, which `diff/build` compiles. An oracle in Rust gives the
//! decisions for a grid of contexts, so it knows every kind of difference that a change makes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use spanmux::{ContextView, Mode, RuntimeContext, SelectorHost};
use spanmux_diff::{Comparison, Constants, Member, Policy, Settings, Verdict};
use spanmux_tests::{folder_of, host};

const LANGUAGES: [&str; 5] = ["assemblyscript", "c", "cpp", "rust", "zig"];
const UNCHANGED: &str = "00-unchanged";

/// The literals of the policy.
#[derive(Clone)]
struct Literals {
    texts: [String; 9],
    threshold: i64,
    share: u32,
}

/// A line of `mutations.tsv`.
struct Mutation {
    name: String,
    from: String,
    to: String,
}

impl Literals {
    fn unchanged() -> Self {
        let texts = [
            "GET /healthz",
            "tenant-acme",
            "acme",
            "eu-west-1",
            "enterprise",
            "debug",
            "rollout-7",
            "production",
            "langfuse-eu",
        ];
        Self {
            texts: texts.map(str::to_owned),
            threshold: 1000,
            share: 15,
        }
    }

    fn with(mutation: &Mutation) -> Self {
        let mut literals = Self::unchanged();
        let plain = |text: &str| text.trim_matches('"').to_owned();
        let (from, to) = (plain(&mutation.from), plain(&mutation.to));
        let text = literals.texts.iter_mut().find(|text| **text == from);
        match (text, from.parse::<i64>()) {
            (Some(text), _) => *text = to,
            (None, Ok(1000)) => literals.threshold = to.parse().unwrap(),
            (None, Ok(15)) => literals.share = to.parse().unwrap(),
            _ => panic!("the policy has no literal {from}"),
        }
        literals
    }

    /// The policy of `diff/sources` once more.
    fn decide(&self, context: &ContextView<'_>) -> Verdict {
        let [
            health,
            tenant_tracer,
            tenant,
            region,
            tier,
            key,
            salt,
            environment,
            eu,
        ] = &self.texts;
        let tracer = |name: &str| Verdict::Tracer(name.to_owned());
        let is = |key: &str, text: &str| context.text(key) == Some(text);
        if is("span.name", health) {
            return tracer("discard");
        }
        if is("tenant", "") {
            return Verdict::Failed("failed".to_owned());
        }
        if is("tenant", tenant) {
            return tracer(tenant_tracer);
        }
        if is("user.tier", tier) {
            let in_region = is("region", region);
            return tracer(if in_region { eu } else { "langfuse" });
        }
        let tokens = match context.get("tokens") {
            Some(spanmux::Value::Integer(tokens)) => tokens,
            _ => 0,
        };
        if tokens > self.threshold {
            return tracer("quarantine");
        }
        if context.contains(key) {
            return tracer("console");
        }
        let share = context.bucket("user.id", salt, 100);
        if share.is_some_and(|share| share < self.share) {
            return tracer("candidate");
        }
        if is("environment", environment) {
            return tracer("langfuse");
        }
        Verdict::Abstained
    }
}

fn mutations() -> Vec<Mutation> {
    let text = fs::read_to_string(folder_of("diff").join("mutations.tsv")).unwrap();
    let rows = text.lines().skip(1);
    let mutations: Vec<Mutation> = rows
        .map(|row| {
            let mut cells = row.split('\t').map(str::to_owned);
            let mut next = || cells.next().unwrap();
            Mutation {
                name: next(),
                from: next(),
                to: next(),
            }
        })
        .collect();
    assert!(mutations.len() >= 12, "{} mutations", mutations.len());
    mutations
}

/// Contexts with every combination of values that matter to a version of the policy.
fn grid() -> Vec<RuntimeContext> {
    let texts = |texts: &[&str]| {
        let texts = texts.iter().map(|text| Some(json!(text)));
        texts.chain([None]).collect::<Vec<_>>()
    };
    let users: Vec<Value> = (0..60).map(|id| json!(format!("user-{id}"))).collect();
    let mut contexts = vec![Map::new()];
    for (key, values) in [
        ("span.name", texts(&["GET /healthz", "GET /readyz"])),
        ("tenant", texts(&["acme", "initech", ""])),
        ("user.tier", texts(&["enterprise", "business"])),
        ("region", texts(&["eu-west-1", "eu-central-1"])),
        (
            "tokens",
            vec![
                None,
                Some(json!(1000)),
                Some(json!(1001)),
                Some(json!(5001)),
            ],
        ),
        ("debug", texts(&["x"])),
        ("verbose", texts(&["x"])),
        ("environment", texts(&["production", "staging"])),
    ] {
        contexts = contexts
            .into_iter()
            .flat_map(|context: Map<String, Value>| {
                let with = |value: &Option<Value>| {
                    let mut context = context.clone();
                    if let Some(value) = value {
                        context.insert(key.to_owned(), value.clone());
                    }
                    context
                };
                values.iter().map(with).collect::<Vec<_>>()
            })
            .collect();
    }
    // A user or none for each context, in no relation to its other values.
    let mut random = fastrand::Rng::with_seed(7);
    let context = |mut context: Map<String, Value>| {
        if let Some(user) = users.get(random.usize(..users.len() + 10)) {
            context.insert("user.id".to_owned(), user.clone());
        }
        RuntimeContext::from_json(&Value::Object(context).to_string()).unwrap()
    };
    contexts.into_iter().map(context).collect()
}

type Kinds = BTreeSet<(Verdict, Verdict)>;

fn expected(old: &Literals, new: &Literals, grid: &[RuntimeContext]) -> Kinds {
    let both = grid.iter().map(|context| {
        let view = context.view();
        (old.decide(&view), new.decide(&view))
    });
    both.filter(|(from, to)| from != to).collect()
}

fn found(comparison: &Comparison) -> Kinds {
    let changes = comparison.changes.iter();
    changes
        .map(|change| (change.from.clone(), change.to.clone()))
        .collect()
}

fn policy(host: &SelectorHost, language: &str, name: &str) -> Policy {
    let folder = folder_of("diff").join("components").join(language);
    let file = folder.join(name).with_added_extension("wasm");
    let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let selector = host.load(name, &bytes).unwrap().with_mode(Mode::Fresh);
    Policy {
        name: format!("{language}/{name}"),
        members: vec![Member {
            name: "policy".to_owned(),
            selector: Arc::new(selector),
            constants: Constants::of(&bytes),
        }],
    }
}

fn compare(old: &Policy, new: &Policy) -> Comparison {
    let settings = Settings {
        budget: Comparison::BUDGET,
        ..Settings::default()
    };
    Comparison::of(old, new, &settings, &mut |_| {})
}

/// Compares the differences that were found with those of the oracle, and asks the oracle about
/// each example.
fn check(comparison: &Comparison, old: &Literals, new: &Literals, grid: &[RuntimeContext]) {
    let title = format!("{} → {}", comparison.old, comparison.new);
    let (expected, found) = (expected(old, new, grid), found(comparison));
    assert_eq!(found, expected, "{title}\n{}", comparison.text(&[]));
    for change in &comparison.changes {
        for difference in &change.differences {
            let context = RuntimeContext::from_json(&difference.example()).unwrap();
            let view = context.view();
            let both = (old.decide(&view), new.decide(&view));
            let reported = (change.from.clone(), change.to.clone());
            assert_eq!(both, reported, "{title}: {}", difference.example());
        }
    }
}

#[test]
fn every_changed_rule_is_found_in_every_language() {
    let (host, grid, unchanged) = (host(), grid(), Literals::unchanged());
    let (mut compared, mut kinds, mut contexts) = (0, 0, 0);
    for language in LANGUAGES {
        let old = policy(&host, language, UNCHANGED);
        let words = old.members[0].constants.words.len();
        for mutation in mutations() {
            let new = policy(&host, language, &mutation.name);
            let comparison = compare(&old, &new);
            check(&comparison, &unchanged, &Literals::with(&mutation), &grid);
            compared += 1;
            kinds += comparison.changes.len();
            contexts += comparison.groups[0].contexts;
        }
        println!("{language}: {words} words in its file");
    }
    println!(
        "{compared} of {compared} changed rules found in {} languages: {kinds} kinds of \
         differences, {} made-up contexts each on average",
        LANGUAGES.len(),
        contexts / compared
    );
    assert!(compared >= 40);
}

#[test]
fn builds_of_one_policy_in_two_languages_do_not_differ() {
    let host = host();
    let policies = LANGUAGES.map(|language| policy(&host, language, UNCHANGED));
    let mut compared = 0;
    for (place, old) in policies.iter().enumerate() {
        for new in &policies[place + 1..] {
            let comparison = compare(old, new);
            let text = comparison.text(&[]);
            assert!(!comparison.identical && comparison.is_same(), "{text}");
            compared += 1;
        }
    }
    println!("0 false differences in {compared} pairs of languages");
}

#[test]
fn changed_rule_is_found_when_the_language_changes_too() {
    let (host, grid, unchanged) = (host(), grid(), Literals::unchanged());
    let mutations = mutations();
    let mut compared = 0;
    for (place, mutation) in mutations.iter().enumerate() {
        let [old, new] = [place, place + 1 + place % 4].map(|at| LANGUAGES[at % LANGUAGES.len()]);
        let old = policy(&host, old, UNCHANGED);
        let new = policy(&host, new, &mutation.name);
        check(
            &compare(&old, &new),
            &unchanged,
            &Literals::with(mutation),
            &grid,
        );
        compared += 1;
    }
    println!("{compared} of {compared} changed rules found between languages");
}
