//! A view over facts that are read in place answers and decides as one over a context with the same
//! facts.

use spanmux::{ContextSource, ContextView, RootSpan, RuntimeContext, Value};
use spanmux_embed::Policy;

use super::{NAMES, open};
use spanmux_tests::folder_of;

/// Facts in a list.
struct Facts<'a>(Vec<(&'a str, Value<'a>)>);

impl ContextSource for Facts<'_> {
    fn get(&self, key: &str) -> Option<Value<'_>> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == key)?;
        Some(*value)
    }

    fn each_key<'a>(&'a self, each: &mut dyn FnMut(&'a str)) {
        self.0.iter().for_each(|(key, _)| each(key));
    }
}

impl Facts<'_> {
    fn to_context(&self) -> RuntimeContext {
        let facts = self.0.iter();
        let builder = facts.fold(RuntimeContext::builder(), |builder, (key, value)| {
            builder.set(key, *value)
        });
        builder.build()
    }
}

/// Keys that the example selectors ask, keys of the root span, and others.
const KEYS: [&str; 10] = [
    "environment",
    "tenant",
    "user",
    "user.id",
    "user.tier",
    "region",
    "span.name",
    "span.http.route",
    "nobody",
    "",
];

const VALUES: [Value<'_>; 16] = [
    Value::Null,
    Value::Boolean(true),
    Value::Boolean(false),
    Value::Integer(0),
    Value::Integer((1 << 53) - 1),
    Value::Float(0.5),
    Value::Float(-0.0),
    Value::Float(f64::NAN),
    Value::Float(f64::INFINITY),
    Value::Text(""),
    Value::Text("production"),
    Value::Text("acme"),
    Value::Text("gold"),
    Value::Text("é世"),
    Value::Json("[1,\"x\"]"),
    Value::Json("9007199254740992"),
];

fn random_facts(random: &mut fastrand::Rng) -> Facts<'static> {
    let count = random.usize(..KEYS.len());
    let keys = random.choose_multiple(KEYS, count).into_iter();
    let facts = keys.map(|key| (key, VALUES[random.usize(..VALUES.len())]));
    Facts(facts.collect())
}

/// Compares the answers to every question.
fn assert_same_answers(one: &ContextView<'_>, other: &ContextView<'_>) {
    assert_eq!(one.keys(), other.keys());
    for key in KEYS {
        assert_eq!(one.get(key), other.get(key), "{key}");
        assert_eq!(one.contains(key), other.contains(key), "{key}");
        assert_eq!(one.text(key), other.text(key), "{key}");
        let bucket = |view: &ContextView<'_>| view.bucket(key, "salt", 100);
        assert_eq!(bucket(one), bucket(other), "{key}");
    }
}

#[test]
fn source_decides_as_a_context_with_its_facts() {
    // Two policies, so that both run their components and learn on their own.
    let selectors = folder_of("../selectors");
    let policies: [Policy; 2] = [open(&selectors), open(&selectors)];
    let lists = policies
        .each_ref()
        .map(|policy| policy.tracers(NAMES, None, Some("acme")).unwrap());
    let attributes = RuntimeContext::builder()
        .set("http.route", "/health")
        .set("tenant", "of the span")
        .build();
    let mut random = fastrand::Rng::with_seed(7);
    let mut cached = 0;
    for turn in 0..3000 {
        let facts = random_facts(&mut random);
        let context = facts.to_context();
        let span = RootSpan::with_attributes("answer", "server", &attributes);
        let span = random.bool().then_some(&span);
        let view = ContextView::over(&facts, span);
        let converted = match span {
            Some(span) => context.view_with_span(span),
            None => context.view(),
        };
        assert_same_answers(&view, &converted);
        assert_same_answers(&view.to_owned_view().view(), &converted);
        let [one, other] = [(&lists[0], &view), (&lists[1], &converted)]
            .map(|(tracers, view)| tracers.decide(view));
        assert_eq!(
            (&one.tracer, &one.selector, &one.digest, one.cause),
            (&other.tracer, &other.selector, &other.digest, other.cause),
            "turn {turn}"
        );
        assert_eq!((&one.reason, one.cached), (&other.reason, other.cached));
        cached += usize::from(one.cached);
    }
    assert!((500..3000).contains(&cached), "{cached}");
}

#[test]
fn value_without_a_case_in_the_contract_is_absent() {
    let facts = Facts(vec![("large", Value::Integer(1 << 53))]);
    let view = ContextView::over(&facts, None);
    assert_eq!((view.get("large"), view.keys()), (None, Vec::new()));
    assert_eq!(view.to_owned_view().view().get("large"), None);
}
