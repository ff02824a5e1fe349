//! Tests of the `baggage` header: the rules of W3C Baggage, each as a row.

use opentelemetry::baggage::{BaggageExt, KeyValueMetadata};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use spanmux::otel::{Inbound, Outbound};

use crate::support::{Fleet, Headers, attribute};

/// A member: key, value, properties.
type Member<'a> = (&'a str, &'a str, &'a str);

fn fleet() -> Fleet {
    Fleet::with(|builder| builder.inbound(Inbound::FollowBaggage))
}

/// Returns the sorted members that are read from these headers.
fn read(headers: &[&str]) -> Vec<(String, String, String)> {
    let headers: Vec<(&str, &str)> = headers.iter().map(|value| ("baggage", *value)).collect();
    let cx = fleet()
        .provider
        .propagator()
        .extract(&Headers::of(&headers));
    members(&cx)
}

fn members(cx: &Context) -> Vec<(String, String, String)> {
    let members = cx
        .baggage()
        .iter()
        .map(|(key, (value, metadata))| (key.to_string(), value.to_string(), metadata.to_string()));
    let mut members: Vec<_> = members.collect();
    members.sort();
    members
}

fn write(cx: &Context) -> Option<String> {
    let mut onwards = Headers::default();
    fleet()
        .provider
        .propagator()
        .inject_context(cx, &mut onwards);
    onwards.get("baggage").map(str::to_owned)
}

/// A rule: the received headers, the members, and the header that is sent on.
type Rule = (
    &'static str,
    &'static [&'static str],
    &'static [Member<'static>],
    Option<&'static str>,
);

const RULES: &[Rule] = &[
    (
        "a value may contain an equals sign",
        &["k=a=b=c"],
        &[("k", "a=b=c", "")],
        Some("k=a%3Db%3Dc"),
    ),
    (
        "a value may end with equals signs",
        &["k=YWI=="],
        &[("k", "YWI==", "")],
        Some("k=YWI%3D%3D"),
    ),
    (
        "a value may be empty",
        &["k="],
        &[("k", "", "")],
        Some("k="),
    ),
    (
        "a value is decoded",
        &["k=%20a%2Cb%3B%22%5C"],
        &[("k", " a,b;\"\\", "")],
        Some("k=%20a%2Cb%3B%22%5C"),
    ),
    (
        "the digits of an escape may be lower case",
        &["k=%c3%bc"],
        &[("k", "ü", "")],
        Some("k=%C3%BC"),
    ),
    (
        "a percent sign is encoded",
        &["k=100%25,l=%2525"],
        &[("k", "100%", ""), ("l", "%25", "")],
        Some("k=100%25,l=%2525"),
    ),
    (
        "a percent sign that begins no escape stays",
        &["k=5%,l=%zz"],
        &[("k", "5%", ""), ("l", "%zz", "")],
        Some("k=5%25,l=%25zz"),
    ),
    (
        "octets that are not UTF-8 become the replacement character",
        &["k=a%FFb"],
        &[("k", "a\u{fffd}b", "")],
        Some("k=a%EF%BF%BDb"),
    ),
    (
        "all other octets stand for themselves",
        &["k=!#$&'()*+-./:<>?@[]^_`{|}~"],
        &[("k", "!#$&'()*+-./:<>?@[]^_`{|}~", "")],
        Some("k=!#$&'()*+-./:<>?@[]^_`{|}~"),
    ),
    (
        "a key is a token and not decoded",
        &["!#$%&'*+-.^_`|~aZ0=1,a%20b=2"],
        &[("!#$%&'*+-.^_`|~aZ0", "1", ""), ("a%20b", "2", "")],
        Some("!#$%&'*+-.^_`|~aZ0=1,a%20b=2"),
    ),
    (
        "keys are case-sensitive",
        &["k=1,K=2"],
        &[("K", "2", ""), ("k", "1", "")],
        Some("K=2,k=1"),
    ),
    (
        "whitespace around members, keys and values does not count",
        &[" \tk \t=\t 1 , l = 2\t"],
        &[("k", "1", ""), ("l", "2", "")],
        Some("k=1,l=2"),
    ),
    (
        "properties are kept",
        &["k=1;p;q=2;r=a=b"],
        &[("k", "1", "p;q=2;r=a=b")],
        Some("k=1;p;q=2;r=a=b"),
    ),
    (
        "whitespace around properties does not count",
        &["k=1 ; p ;\tq = 2 "],
        &[("k", "1", "p;q=2")],
        Some("k=1;p;q=2"),
    ),
    (
        "properties stay encoded",
        &["k=1;p=%20a%2Cb%25"],
        &[("k", "1", "p=%20a%2Cb%25")],
        Some("k=1;p=%20a%2Cb%25"),
    ),
    (
        "invalid properties are left out",
        &["k=1;;p q;=3;r"],
        &[("k", "1", "r")],
        Some("k=1;r"),
    ),
    (
        "several headers are one list",
        &["k=1", "l=2,m=3"],
        &[("k", "1", ""), ("l", "2", ""), ("m", "3", "")],
        Some("k=1,l=2,m=3"),
    ),
    (
        "of two members with one key the last counts",
        &["k=1,k=2"],
        &[("k", "2", "")],
        Some("k=2"),
    ),
    ("an empty header is no baggage", &[""], &[], None),
    (
        "empty members are skipped",
        &[",k=1,, ,"],
        &[("k", "1", "")],
        Some("k=1"),
    ),
    (
        "a member without an equals sign is skipped",
        &["k,l=2"],
        &[("l", "2", "")],
        Some("l=2"),
    ),
    (
        "a member with an empty key is skipped",
        &["=1,l=2"],
        &[("l", "2", "")],
        Some("l=2"),
    ),
    (
        "a member whose key is no token is skipped",
        &["a b=1,c@d=1,ü=1,l=2"],
        &[("l", "2", "")],
        Some("l=2"),
    ),
    (
        "a member with an invalid octet is skipped",
        &["k=a b,m=\"q\",n=\\,o=ü,p=\u{1},l=2"],
        &[("l", "2", "")],
        Some("l=2"),
    ),
];

#[test]
fn baggage_follows_each_rule_of_the_recommendation() {
    for (rule, headers, expected, sent) in RULES {
        let found = read(headers);
        let found: Vec<Member<'_>> = found.iter().map(|(k, v, p)| (&**k, &**v, &**p)).collect();
        assert_eq!(found, *expected, "{rule}");
        let headers: Vec<_> = headers.iter().map(|value| ("baggage", *value)).collect();
        let cx = fleet()
            .provider
            .propagator()
            .extract(&Headers::of(&headers));
        assert_eq!(write(&cx).as_deref(), *sent, "{rule}");
        // It stays the same in the next process.
        let again: Vec<&str> = sent.iter().copied().collect();
        assert_eq!(read(&again), members(&cx), "{rule}");
    }
}

#[test]
fn baggage_is_limited_to_64_members_and_8192_bytes() {
    let list = |most: usize| {
        let members: Vec<String> = (0..most).map(|n| format!("k{n:03}={n}")).collect();
        members.join(",")
    };
    for (sent, kept) in [(1, 1), (64, 64), (65, 64), (180, 64), (181, 64)] {
        let found = read(&[&list(sent)]);
        assert_eq!(found.len(), kept, "{sent}");
        let is_first =
            |(n, (key, ..)): (usize, &(String, String, String))| *key == format!("k{n:03}");
        assert!(
            found.iter().enumerate().all(is_first),
            "the first ones are kept"
        );
    }
    // The last member ends at the limit, or one byte after it.
    for (bytes, kept) in [(8_192, 2), (8_193, 1)] {
        let header = format!("a=1,b={}", "x".repeat(bytes - 6));
        assert_eq!(header.len(), bytes);
        assert_eq!(read(&[&header]).len(), kept, "{bytes}");
    }
    let (head, tail) = ("a=1".to_owned(), format!("b={}", "x".repeat(8_186)));
    assert_eq!(read(&[&head, &tail]).len(), 2, "in two headers");
    assert_eq!(read(&[&head, &format!("{tail}x")]).len(), 1);
    assert_eq!(read(&[&",".repeat(1 << 20), "k=1"]), []);
}

#[test]
fn written_baggage_is_within_the_limits_after_encoding() {
    // Three bytes for each of these characters.
    let long = " ".repeat(2_000);
    let cx = Context::new().with_baggage([
        KeyValue::new("a", long.clone()),
        KeyValue::new("b", long),
        KeyValue::new("c", "1"),
    ]);
    let header = write(&cx).unwrap();
    assert!(header.len() <= 8_192);
    assert!(header.starts_with("a=%20") && header.ends_with(",c=1"));
    assert_eq!(read(&[&header]).len(), 2);
}

#[test]
fn property_of_the_application_is_encoded() {
    let member = |metadata| KeyValueMetadata::new("k", "1", metadata);
    let cx = Context::new().with_baggage([member("p=a,b\r\nc; bad key=1;q")]);
    assert_eq!(write(&cx).as_deref(), Some("k=1;p=a%2Cb%0D%0Ac;q"));
}

#[test]
fn selector_and_next_process_get_the_complete_value() {
    let fleet = Fleet::with(|builder| builder.baggage_keys(["tracer"]).copy_to_spans(["tracer"]));
    let propagator = fleet.provider.propagator();
    fleet
        .provider
        .registry()
        .register("b=c=d", crate::support::tracer().0)
        .unwrap();
    let incoming = propagator.extract(&Headers::of(&[("baggage", "tracer=b=c=d")]));
    let root = fleet
        .provider
        .tracer("shop")
        .start_with_context("request", &incoming);
    assert_eq!(fleet.provider.registry().counts().chosen, 1);
    let mut onwards = Headers::default();
    propagator.inject_context(&incoming.with_span(root), &mut onwards);
    let next = propagator.extract(&onwards);
    let value = next.baggage().get("tracer").map(|value| value.as_str());
    assert_eq!(value, Some("b=c=d"));
}

#[test]
fn name_of_the_tracer_goes_before_the_baggage_of_others() {
    let settings = |builder: spanmux::otel::RoutingTracerProviderBuilder| {
        builder
            .inbound(Inbound::FollowBaggage)
            .outbound(Outbound::TracestateAndBaggage)
    };
    let fleet = Fleet::with(settings);
    let name = "50% off, today";
    let (tracer, spans) = crate::support::tracer();
    fleet.provider.registry().register(name, tracer).unwrap();
    let cx = crate::support::run(name)
        .with_baggage((0..64).map(|n| KeyValue::new(format!("k{n}"), "1")));
    let propagator = fleet.provider.propagator();
    let tracer = fleet.provider.tracer("shop");
    let mut headers = Headers::default();
    let root = cx.with_span(tracer.start_with_context("request", &cx));
    propagator.inject_context(&root, &mut headers);
    let header = headers.get("baggage").unwrap();
    assert!(header.starts_with("spanmux.tracer=50%2525%2520off%252C%2520today,"));
    assert_eq!(header.split(',').count(), 64);

    let incoming = propagator.extract(&headers);
    tracer.start_with_context("next", &incoming);
    assert_eq!(fleet.provider.inbound_counts().followed, 1);
    drop(root);
    let spans = spans.get_finished_spans().unwrap();
    assert_eq!(spans.len(), 2);
    assert_eq!(
        attribute(&spans[0], "spanmux.inbound").as_deref(),
        Some("baggage")
    );
}
