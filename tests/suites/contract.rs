//! The contract between host and guest in both directions, compared with the file that defines it,
//! and the empty WASI world.

use std::collections::BTreeMap;
use std::path::Path;

use spanmux::{
    Choice, ComponentSelector, Fallback, LoadError, RootSpan, RuntimeContext, Selector,
    SelectorHost, TracerNames, Value,
};
use spanmux_tests::{
    chose, component, decide, fallback, folder_of, fuel, guest, host, load, select, text,
};
use wit_parser::{Function, Resolve, Type, TypeDefKind, WorldItem, WorldKey};

/// Asks the question that `words` spell, and returns the answer that the guest received.
fn told(asker: &ComponentSelector, view: &spanmux::ContextView<'_>, words: &[&str]) -> String {
    let decision = asker.decision(view, &TracerNames::new(words.iter().copied()));
    match decision.choice {
        Choice::Fallback(Fallback::UnknownTracer(told)) => told,
        other => panic!("{words:?}: {other:?}"),
    }
}

/// Encodes a value as the guest `asker` does.
fn spelled(value: Option<Value<'_>>) -> String {
    match value {
        None => "-".to_owned(),
        Some(Value::Null) => "n".to_owned(),
        Some(Value::Boolean(boolean)) => format!("b{}", u8::from(boolean)),
        Some(Value::Integer(integer)) => format!("i{integer:016x}"),
        Some(Value::Float(float)) => format!("f{:016x}", float.to_bits()),
        Some(Value::Text(text)) => format!("t{text}"),
        Some(Value::Json(json)) => format!("j{json}"),
    }
}

fn rich_context() -> RuntimeContext {
    let json = r#"{
        "null": null, "yes": true, "no": false,
        "zero": 0, "one": 1, "minus": -1, "safe": 9007199254740991, "unsafe": 9007199254740992,
        "least": -9007199254740991, "huge": 18446744073709551615,
        "float": 0.1, "negative zero": -0.0, "whole float": 1.0, "tiny": 5e-324,
        "text": "Abc", "empty": "", "unicode": "gänse 日本語 🦀", "controls": "\u0000\u001b[2J\r\n",
        "array": [1, "x", null], "object": {"b": {"c": true}, "a": 1, "d.e": "dotted"},
        "object.a": "literal", "": "no name", "schlüssel": "key"
    }"#;
    let members: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let mut builder = RuntimeContext::builder()
        .set("nan", f64::NAN)
        .set("infinity", f64::INFINITY);
    for (key, value) in members.as_object().expect("an object") {
        builder = builder.set_json(key, value);
    }
    builder.build()
}

#[test]
fn guest_gets_the_same_answers_as_a_native_selector() {
    let asker = load(&host(), "asker", &guest("asker"));
    let context = rich_context();
    let attributes = || {
        let attributes = RuntimeContext::builder()
            .set("gen_ai.request.model", "small")
            .set("count", 3)
            .set("nested", Value::Json(r#"{"inner":1}"#));
        attributes.build()
    };
    let span = RootSpan::new("chat", "client", &attributes);
    for view in [context.view(), context.view_with_span(&span)] {
        let keys = view.keys();
        let more = [
            "object.b",
            "object.b.c",
            "object.d.e",
            "object.z",
            "object.b.c.d",
            "array.0",
            "missing",
            "Text",
            "text ",
            "span.",
            "span.name.x",
            "span.nested.inner",
            "ünbekannt",
            ".",
            "..",
        ];
        for key in keys.iter().map(String::as_str).chain(more) {
            assert_eq!(
                told(&asker, &view, &["get", key]),
                spelled(view.get(key)),
                "get {key:?}"
            );
            let has = u8::from(view.contains(key)).to_string();
            assert_eq!(told(&asker, &view, &["has", key]), has, "has {key:?}");
            for (salt, buckets) in [("", "***"), ("salt", "*"), ("größer", "*******")] {
                let words = ["bucket", key, salt, buckets];
                let Some(share) = view.bucket(key, salt, buckets.len() as u32) else {
                    assert_eq!(told(&asker, &view, &words), "-", "{words:?}");
                    continue;
                };
                // Two equal words are the same tracer name.
                if key != salt {
                    assert_eq!(
                        told(&asker, &view, &words),
                        format!("{share:016x}"),
                        "{words:?}"
                    );
                }
            }
        }
        let lines: String = keys.iter().map(|key| format!("{key}\n")).collect();
        let kept = &lines[..lines.floor_char_boundary(256)];
        assert_eq!(told(&asker, &view, &["keys"]), kept);
    }
    let empty = RuntimeContext::empty();
    assert_eq!(told(&asker, &empty.view(), &["keys"]), "");
    assert_eq!(told(&asker, &empty.view(), &["get", "span.name"]), "-");
}

#[test]
fn every_kind_of_value_reaches_the_guest() {
    let asker = load(&host(), "asker", &guest("asker"));
    let context = rich_context();
    for (key, expected) in [
        ("null", "n"),
        ("yes", "b1"),
        ("no", "b0"),
        ("minus", "iffffffffffffffff"),
        ("safe", "i001fffffffffffff"),
        ("unsafe", "j9007199254740992"),
        ("huge", "j18446744073709551615"),
        ("negative zero", "f8000000000000000"),
        ("whole float", "f3ff0000000000000"),
        ("nan", "f7ff8000000000000"),
        ("infinity", "f7ff0000000000000"),
        ("empty", "t"),
        ("unicode", "tgänse 日本語 🦀"),
        ("controls", "t\0\u{1b}[2J\r\n"),
        ("array", r#"j[1,"x",null]"#),
        ("object", r#"j{"a":1,"b":{"c":true},"d.e":"dotted"}"#),
        ("object.a", "tliteral"),
        ("object.d.e", "tdotted"),
        ("", "tno name"),
        ("missing", "-"),
    ] {
        assert_eq!(
            told(&asker, &context.view(), &["get", key]),
            expected,
            "{key}"
        );
    }
}

#[test]
fn tracer_names_reach_the_guest() {
    // The guest reads its question from the tracer names, so it received all of them.
    let asker = load(&host(), "asker", &guest("asker"));
    let long = "k".repeat(5000);
    let context = RuntimeContext::builder().set(&long, 7).set("🦀", 8).build();
    assert_eq!(
        told(&asker, &context.view(), &["get", &long]),
        "i0000000000000007"
    );
    assert_eq!(
        told(&asker, &context.view(), &["get", "🦀"]),
        "i0000000000000008"
    );

    let console = load(&host(), "console", &guest("console"));
    let many: Vec<String> = (0..1000).map(|number| format!("tracer-{number}")).collect();
    let names = TracerNames::new(many.iter().map(String::as_str).chain(["console"]));
    let decision = console.decision(&RuntimeContext::empty().view(), &names);
    assert_eq!(decision.choice, names.choose("console"), "a thousand names");
    let decision = console.decision(&RuntimeContext::empty().view(), &TracerNames::default());
    let unknown = Fallback::UnknownTracer("console".to_owned());
    assert_eq!(fallback(&decision), Some(&unknown), "no names");
}

#[test]
fn guest_can_choose_abstain_and_fail() {
    let by_environment = text("guests", "by-environment");
    for (environment, expected) in [
        ("test", Some("console")),
        ("production", None),
        ("tes", None),
    ] {
        let decision = select(&by_environment, &spanmux_tests::environment(environment));
        match expected {
            Some(tracer) => assert!(chose(&decision, tracer), "{environment}: {decision:?}"),
            None => assert_eq!(decision.choice, Choice::Abstain, "{environment}"),
        }
    }
    assert_eq!(
        select(&by_environment, &RuntimeContext::empty()).choice,
        Choice::Abstain
    );
    let failing = load(&host(), "error-empty", &spanmux_tests::zoo("error-empty"));
    let decision = decide(&failing, &RuntimeContext::empty());
    assert_eq!(decision.choice, Choice::failed(""));
}

#[test]
fn decisions_share_no_state() {
    // A decision starts with fresh memory, whatever an earlier one wrote.
    let asker = load(&host(), "asker", &guest("asker"));
    let context = rich_context();
    let ask = |words: &[&str]| {
        let decision = asker.decision(&context.view(), &TracerNames::new(words.iter().copied()));
        (fuel(&decision), told(&asker, &context.view(), words))
    };
    let first = ask(&["get", "text"]);
    for words in [&["keys"][..], &["get", "object"], &["has", "missing"]] {
        ask(words);
        assert_eq!(ask(&["get", "text"]), first, "after {words:?}");
    }
}

/// The parsed `wit/selector.wit`.
struct Contract {
    resolve: Resolve,
}

impl Contract {
    fn parse(text: &str) -> Self {
        let mut resolve = Resolve::default();
        resolve
            .push_str("selector.wit", text)
            .expect("the contract");
        Self { resolve }
    }

    fn text() -> String {
        let path = Path::new("../wit/selector.wit");
        std::fs::read_to_string(folder_of("").join(path)).expect("wit/selector.wit")
    }

    fn functions(&self, interface: &str) -> BTreeMap<String, &Function> {
        let mut found = self.resolve.interfaces.iter();
        let (_, interface) = found
            .find(|(_, each)| each.name.as_deref() == Some(interface))
            .unwrap_or_else(|| panic!("no interface {interface}"));
        let functions = interface.functions.iter();
        functions
            .map(|(name, function)| (name.clone(), function))
            .collect()
    }

    fn names(&self, items: &wit_parser::IndexMap<WorldKey, WorldItem>) -> Vec<String> {
        items
            .keys()
            .map(|key| self.resolve.name_world_key(key))
            .collect()
    }

    /// Writes a type in the component text format. A named type is `$value`; there is only one.
    fn spell(&self, ty: &Type) -> String {
        let Type::Id(id) = ty else {
            return format!("{ty:?}").to_lowercase();
        };
        let definition = &self.resolve.types[*id];
        match &definition.kind {
            _ if definition.name.is_some() => "$value".to_owned(),
            kind => self.spell_kind(kind),
        }
    }

    fn spell_kind(&self, kind: &TypeDefKind) -> String {
        match kind {
            TypeDefKind::Option(some) => format!("(option {})", self.spell(some)),
            TypeDefKind::List(item) => format!("(list {})", self.spell(item)),
            TypeDefKind::Result(result) => {
                let ok = result.ok.map(|ok| self.spell(&ok)).unwrap_or_default();
                let err = result
                    .err
                    .map(|err| format!("(error {})", self.spell(&err)));
                format!("(result {ok} {})", err.unwrap_or_default())
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|case| {
                    let of = case.ty.map(|ty| self.spell(&ty)).unwrap_or_default();
                    format!("(case \"{}\" {of})", case.name)
                });
                format!("(variant {})", cases.collect::<String>())
            }
            other => panic!("a type that the contract did not have: {other:?}"),
        }
    }

    fn spell_function(&self, function: &Function) -> String {
        let params = function
            .params
            .iter()
            .map(|param| format!("(param \"{}\" {})", param.name, self.spell(&param.ty)));
        let params: String = params.collect();
        let result = function
            .result
            .map(|ty| format!("(result {})", self.spell(&ty)));
        format!("{params} {}", result.unwrap_or_default())
    }

    /// Returns the text of a component that imports every function of the contract and exports its
    /// interface. It traps when it is called.
    fn component(&self) -> String {
        let mut types = self.resolve.types.iter();
        let (_, value) = types
            .find(|(_, each)| each.name.as_deref() == Some("value"))
            .expect("the type `value`");
        let value = self.spell_kind(&value.kind);
        let questions: String = self
            .functions("runtime-context")
            .into_iter()
            .map(|(name, function)| {
                format!(
                    "(export \"{name}\" (func {}))\n",
                    self.spell_function(function)
                )
            })
            .collect();
        let mut lifted = String::new();
        for (name, function) in self.functions("selection") {
            let ty = self.spell_function(function);
            lifted += &format!(
                "(func $lifted {ty} (canon lift (core func $guest \"f\")
                   (memory (core memory $guest \"memory\"))
                   (realloc (core func $guest \"realloc\"))))
                 (instance $selection (export \"{name}\" (func $lifted)))"
            );
        }
        format!(
            "(component
               (import \"spanmux:selector/runtime-context@0.1.0\" (instance
                 (type $value' {value})
                 (export \"value\" (type $value (eq $value')))
                 {questions}))
               (core module $guest
                 (memory (export \"memory\") 1)
                 (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) unreachable)
                 (func (export \"f\") (param i32 i32) (result i32) unreachable))
               (core instance $guest (instantiate $guest))
               {lifted}
               (export \"spanmux:selector/selection@0.1.0\" (instance $selection)))"
        )
    }
}

#[test]
fn contract_has_the_documented_interfaces() {
    let contract = Contract::parse(&Contract::text());
    let (_, package) = contract.resolve.packages.iter().next().expect("a package");
    assert_eq!(package.name.to_string(), "spanmux:selector@0.1.0");
    assert_eq!(
        contract.resolve.packages.len(),
        1,
        "the contract needs no other"
    );

    let questions: Vec<_> = contract.functions("runtime-context").into_keys().collect();
    assert_eq!(questions, ["bucket", "get", "has", "keys"]);
    let decisions: Vec<_> = contract.functions("selection").into_keys().collect();
    assert_eq!(decisions, ["select"]);

    let mut worlds = contract.resolve.worlds.iter();
    let (_, world) = worlds.next().expect("a world");
    assert!(worlds.next().is_none(), "one world");
    assert_eq!(world.name, "selector");
    assert_eq!(
        contract.names(&world.imports),
        ["spanmux:selector/runtime-context@0.1.0"]
    );
    assert_eq!(
        contract.names(&world.exports),
        ["spanmux:selector/selection@0.1.0"]
    );

    // Every function has documentation.
    for interface in ["runtime-context", "selection"] {
        for (name, function) in contract.functions(interface) {
            assert!(
                function.docs.contents.is_some(),
                "{name} has no documentation"
            );
        }
    }
}

#[test]
fn wit_folder_parses_and_states_its_version() {
    let folder = folder_of("../wit");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(&folder).expect("wit/");
    let name = resolve.packages[package].name.to_string();
    assert_eq!(name, "spanmux:selector@0.1.0");
    let page = std::fs::read_to_string(folder.join("README.md")).expect("wit/README.md");
    assert!(
        page.contains(&name),
        "wit/README.md does not speak of {name}"
    );
}

fn load_contract(host: &SelectorHost, wit: &str) -> Result<ComponentSelector, LoadError> {
    host.load("contract", &component(&Contract::parse(wit).component()))
}

#[test]
fn host_links_only_the_contract() {
    let host = host();
    let wit = Contract::text();
    let whole = load_contract(&host, &wit).expect("all of the contract is linked");
    assert_eq!(whole.imports(), ["spanmux:selector/runtime-context@0.1.0"]);

    // The host notices every change of the contract.
    for (what, from, to, named) in [
        (
            "one more case",
            "    null,\n",
            "    null,\n    bytes(list<u8>),\n",
            "`get`",
        ),
        ("one case less", "    boolean(bool),\n", "", "`get`"),
        (
            "a case of another type",
            "integer(s64)",
            "integer(u64)",
            "`get`",
        ),
        (
            "a case of another name",
            "json(string)",
            "document(string)",
            "`get`",
        ),
        (
            "one more question",
            "  keys: func()",
            "  size: func() -> u32;\n  keys: func()",
            "`size`",
        ),
        (
            "a question of another name",
            "  has: func(",
            "  contains: func(",
            "`contains`",
        ),
        (
            "a question with another answer",
            "has: func(key: string) -> bool",
            "has: func(key: string) -> u32",
            "has",
        ),
        ("a wider share", "buckets: u32", "buckets: u64", "bucket"),
        (
            "another selection",
            "-> result<option<string>, string>",
            "-> result<string, string>",
            "select",
        ),
        (
            "a selection of another name",
            "  select: func(",
            "  choose: func(",
            "select",
        ),
    ] {
        assert!(wit.contains(from), "{what}: the contract has `{from}`");
        match load_contract(&host, &wit.replace(from, to)) {
            Err(error @ LoadError::Link { .. }) => {
                assert!(error.to_string().contains(named), "{what}: {error}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn wasi_guest_gets_the_same_empty_world_in_every_run() {
    let file = guest("wasi");
    let context = RuntimeContext::empty();
    let one = load(&host(), "wasi", &file);
    let two = load(&host(), "wasi", &file);
    let answers: Vec<_> = [&one, &one, &two]
        .map(|selector| decide(selector, &context))
        .iter()
        .map(|decision| (decision.choice.clone(), fuel(decision)))
        .collect();
    assert_eq!(answers[0], answers[1], "the second time");
    assert_eq!(answers[0], answers[2], "on another host");

    let Choice::Fallback(Fallback::UnknownTracer(read)) = &answers[0].0 else {
        panic!("{:?}", answers[0]);
    };
    let numbers: Vec<u64> = (0..read.len() / 16)
        .map(|index| u64::from_str_radix(&read[index * 16..][..16], 16).expect("digits"))
        .collect();
    let [
        first,
        second,
        seconds,
        nanoseconds,
        _random,
        variables,
        arguments,
        later,
    ] = numbers[..]
    else {
        panic!("{read}");
    };
    assert!(
        first > 0 && second > first,
        "a look moves the clock: {first}, {second}"
    );
    assert_eq!(seconds, 0, "the world begins at the epoch");
    assert!(nanoseconds > second, "one clock behind both: {nanoseconds}");
    assert_eq!((variables, arguments), (0, 0));
    // Ten seconds passed for the guest, without a real wait.
    let slept = later - second;
    assert!(
        (10_000_000_000..10_001_000_000).contains(&slept),
        "{slept} ns"
    );
}

#[test]
fn only_wasi_0_2_is_provided() {
    let wasi = text("guests", "wasi");
    let host = host();
    for version in ["@0.2.0", "@0.2.1", "@0.2.9"] {
        let text = wasi.replace("@0.2.0", version).replace("@0.2.3", version);
        load(&host, version, &component(&text));
    }
    for version in ["@0.3.0", "@0.2", "@1.2.0", "@0.1.0"] {
        let text = wasi.replace("@0.2.0", version).replace("@0.2.3", version);
        let Ok(file) = wat::parse_str(text) else {
            continue;
        };
        let error = host.load(version, &file).expect_err(version);
        assert!(
            matches!(error, LoadError::Import { .. }),
            "{version}: {error}"
        );
    }
}
