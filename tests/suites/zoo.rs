//! The zoo: hostile components, each with its expected outcome. A row names a file in `zoo/`.
//! Attacks that the text format cannot express, such as truncated, flipped or very many bytes, are
//! generated here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use spanmux::{
    Budget, Choice, ComponentSelector, Fallback, Limits, LoadError, Mode, Origin, RuntimeContext,
    SelectorHost, TracerNames,
};
use spanmux_tests::bytes::{console_with, leb, nested};
use spanmux_tests::{
    TRACERS, chose, component, decide, environment, fallback, fuel, guest, host, host_within,
    limits, load, text, zoo,
};

/// The expected outcome of a hostile component.
enum Gets {
    /// Refused when it is loaded: the variant of the error, and parts of its message.
    Refused(&'static str, &'static [&'static str]),
    /// Loaded. The decision selects the fallback tracer for this cause.
    Falls(Fallback),
    /// Loaded. The decision is this tracer, so the attack had no effect.
    Chooses(&'static str),
}
use Gets::{Chooses, Falls, Refused};

fn trapped(message: &str) -> Gets {
    Falls(Fallback::Trapped(message.to_owned()))
}

fn unknown(name: &str) -> Gets {
    Falls(Fallback::UnknownTracer(name.to_owned()))
}

fn out_of(budget: Budget) -> Gets {
    Falls(Fallback::OutOfBudget(budget))
}

/// Returns the name of the variant, as `Debug` writes it.
fn variant(error: &LoadError) -> String {
    let text = format!("{error:?}");
    let end = text.find(|c: char| !c.is_alphanumeric());
    text[..end.unwrap_or(text.len())].to_owned()
}

/// Returns the expected outcome of each file in `zoo/`.
fn rows() -> Vec<(&'static str, Gets)> {
    const FEATURE: &str = "build without it";
    const UNREACHABLE: &str = "wasm `unreachable` instruction executed";
    const STRING: &str = "string pointer/length out of bounds of memory";
    vec![
        // Other worlds and other versions of the contract.
        (
            "other-world",
            Refused(
                "NoSelection",
                &["spanmux:selector/selection@0.1.0", "`run`", "wit/"],
            ),
        ),
        (
            "selection-without-select",
            Refused("Link", &["no function `select`", "wit/"]),
        ),
        (
            "select-of-another-shape",
            Refused("Link", &["`select`", "signature", "wit/"]),
        ),
        ("select-is-async", Refused("Compile", &["async", "--sync"])),
        ("both-versions", Chooses("console")),
        ("export-with-resource", Chooses("console")),
        (
            "export-with-stream",
            Refused("Compile", &["`stream`", "async", "--sync"]),
        ),
        (
            "imports-sockets",
            Refused(
                "Import",
                &[
                    "`wasi:sockets/tcp@0.2.0`",
                    "remove",
                    "Python with --stub-wasi",
                ],
            ),
        ),
        (
            "imports-http",
            Refused(
                "Import",
                &[
                    "`wasi:http/outgoing-handler@0.2.0`",
                    "JavaScript with --disable all",
                ],
            ),
        ),
        ("imports-env", Refused("Import", &["`env-log`", "remove"])),
        (
            "imports-wasi-0.3",
            Refused("Import", &["`wasi:clocks/monotonic-clock@0.3.0`", "remove"]),
        ),
        (
            "imports-other-context",
            Refused("OtherVersion", &["0.2.0", "0.1.0", "wit/"]),
        ),
        (
            "asks-unknown-question",
            Refused("Link", &["`size`", "0.1.0", "0.1.7", "wit/"]),
        ),
        (
            "asks-with-another-shape",
            Refused("Link", &["`has`", "expected `string` found `u32`", "wit/"]),
        ),
        // Features of WebAssembly that are disabled.
        (
            "feature-memory64",
            Refused("Compile", &["memory64", FEATURE]),
        ),
        ("feature-threads", Refused("Compile", &["threads", FEATURE])),
        (
            "feature-multi-memory",
            Refused("Compile", &["multiple memories", FEATURE]),
        ),
        (
            "feature-exceptions",
            Refused("Compile", &["exceptions", FEATURE]),
        ),
        ("feature-gc", Refused("Compile", &["gc", FEATURE])),
        (
            "feature-tail-call",
            Refused("Compile", &["tail call", FEATURE]),
        ),
        (
            "feature-relaxed-simd",
            Refused("Compile", &["relaxed SIMD", FEATURE]),
        ),
        (
            "imports-resource",
            Refused("Import", &["host:files/open@1.0.0"]),
        ),
        (
            "imports-stream",
            Refused("Import", &["host:files/read@1.0.0"]),
        ),
        (
            "select-with-callback",
            Refused("Compile", &["async", "--sync"]),
        ),
        ("post-return-traps", trapped(UNREACHABLE)),
        ("post-return-loops", out_of(Budget::Fuel)),
        (
            "post-return-asks",
            trapped("cannot leave component instance"),
        ),
        ("keys-million", out_of(Budget::Fuel)),
        ("enters-itself", trapped("cannot enter component instance")),
        // Start-up.
        (
            "start-traps",
            Refused("StartUp", &["unreachable", "start-up"]),
        ),
        (
            "start-loops",
            Refused("StartUp", &["ran out of fuel", "budget of one decision"]),
        ),
        (
            "start-recurses",
            Refused("StartUp", &["ran out of stack", "budget of one decision"]),
        ),
        (
            "start-asks",
            Refused("StartUp", &["queried the runtime context during start-up"]),
        ),
        (
            "data-out-of-bounds",
            Refused("StartUp", &["out of bounds memory access"]),
        ),
        // Declarations.
        (
            "memory-declared",
            Refused(
                "Declares",
                &["1073741824 bytes of memory", "67108864", "raise the limit"],
            ),
        ),
        (
            "memories-declared",
            Refused("Declares", &["6 memories", "4", "raise the limit"]),
        ),
        (
            "table-declared",
            Refused(
                "Declares",
                &["10000000 elements", "65536", "raise the limit"],
            ),
        ),
        (
            "tables-declared",
            Refused("Declares", &["20 tables", "16", "raise the limit"]),
        ),
        (
            "instances-declared",
            Refused("Declares", &["81 core instances", "64", "raise the limit"]),
        ),
        // Traps.
        ("trap", trapped(UNREACHABLE)),
        ("divide-by-zero", trapped("integer divide by zero")),
        ("exits", trapped("it exited with success")),
        // Endless work.
        ("loop", out_of(Budget::Fuel)),
        ("loop-in-fill", out_of(Budget::Fuel)),
        ("recursion", out_of(Budget::Stack)),
        ("memory-grow", Chooses("console")),
        ("memory-grow-at-once", Chooses("console")),
        ("memory-grow-forever", out_of(Budget::Fuel)),
        ("table-grow", Chooses("console")),
        ("questions-forever", out_of(Budget::Fuel)),
        ("keys-forever", out_of(Budget::Fuel)),
        ("prints-forever", out_of(Budget::Fuel)),
        (
            "sleeps-forever",
            trapped("it waits for more than 1024 things"),
        ),
        // Answers.
        ("string-lies", trapped(STRING)),
        ("string-out-of-bounds", trapped(STRING)),
        ("string-wraps-around", trapped(STRING)),
        ("string-of-60-megabytes", out_of(Budget::Bytes)),
        ("name-empty", unknown("")),
        ("name-controls", unknown("\u{1b}[2Jlangfuse\r\nlevel=info")),
        ("name-case", unknown("LangFuse")),
        ("name-spaces", unknown("langfuse ")),
        ("name-unicode-form", unknown("соnsole")),
        ("name-too-long", unknown(&"a".repeat(256))),
        // Dangling pointers inside of the memory: the bytes that are now stored there are read.
        ("name-dangles", unknown(&"\0".repeat(8))),
        (
            "name-overwritten",
            trapped("invalid utf-8 sequence of 1 bytes from index 6"),
        ),
        (
            "name-invalid-utf8",
            trapped("invalid utf-8 sequence of 1 bytes from index 4"),
        ),
        (
            "result-out-of-bounds",
            trapped("pointer out of bounds of memory"),
        ),
        (
            "result-at-the-end-of-the-world",
            trapped("pointer out of bounds of memory"),
        ),
        ("result-unaligned", trapped("return pointer not aligned")),
        (
            "result-of-no-case",
            trapped("invalid expected discriminant"),
        ),
        ("option-of-no-case", trapped("invalid option discriminant")),
        ("error-empty", Falls(Fallback::Failed(String::new()))),
        // 1,024 bytes: the escape character, 511 letters of two bytes, and half of another letter,
        // which is dropped.
        (
            "error-long",
            Falls(Fallback::Failed(format!("\\u{{1b}}{}", "ä".repeat(511)))),
        ),
        // The canonical ABI.
        ("realloc-missing", Refused("Malformed", &["realloc"])),
        ("realloc-traps", trapped(UNREACHABLE)),
        ("realloc-loops", out_of(Budget::Fuel)),
        (
            "realloc-out-of-bounds",
            trapped("realloc return: beyond end of memory"),
        ),
        (
            "realloc-unaligned",
            trapped("realloc return: result not aligned"),
        ),
        ("realloc-one-place", Chooses("console")),
        (
            "realloc-over-the-answer",
            trapped("invalid expected discriminant"),
        ),
        // Questions.
        (
            "bucket-of-zero",
            trapped("it requested a share of zero buckets"),
        ),
        ("key-of-10-megabytes", out_of(Budget::Bytes)),
        ("key-out-of-bounds", trapped(STRING)),
        ("key-of-dots", out_of(Budget::Fuel)),
    ]
}

/// Checks that the host still makes correct decisions with valid selectors.
fn still_answers(host: &SelectorHost, good: &ComponentSelector, after: &str) {
    let fresh = load(host, "fresh", &guest("console"));
    for selector in [good, &fresh] {
        let decision = decide(selector, &RuntimeContext::empty());
        assert!(chose(&decision, "console"), "after {after}: {decision:?}");
    }
}

#[test]
fn every_component_has_its_expected_outcome() {
    let host = host();
    let good = load(&host, "good", &guest("console"));
    let mut failures = Vec::new();
    for (name, gets) in rows() {
        if let Err(failure) = check(&host, name, &gets) {
            failures.push(format!("{name}: {failure}"));
        }
        still_answers(&host, &good, name);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn check(host: &SelectorHost, name: &str, gets: &Gets) -> Result<(), String> {
    let selector = match (host.load(name, &zoo(name)), gets) {
        (Err(error), Refused(expected, words)) => {
            let (found, message) = (variant(&error), error.to_string());
            if found != *expected {
                return Err(format!("{found} and not {expected}: {message}"));
            }
            return match words.iter().find(|word| !message.contains(**word)) {
                Some(word) => Err(format!("the message does not say `{word}`: {message}")),
                None => Ok(()),
            };
        }
        (Err(error), _) => return Err(format!("it is not loaded: {error}")),
        (Ok(_), Refused(expected, _)) => return Err(format!("it is loaded and not {expected}")),
        (Ok(selector), _) => selector,
    };
    let (learning, selector) = (selector.clone(), selector.with_mode(Mode::Fresh));
    let names = TracerNames::new(TRACERS);
    let expected = match gets {
        Falls(reason) => Choice::Fallback(reason.clone()),
        Chooses(tracer) => names.choose(tracer),
        Refused(..) => unreachable!("it was loaded"),
    };
    let context = environment("production");
    let first = decide(&selector, &context);
    if first.choice != expected {
        return Err(format!("{:?} and not {expected:?}", first.choice));
    }
    // The depth at which the stack ends depends on the machine. All other runs burn the same fuel.
    let again = decide(&selector, &context);
    if again.choice != first.choice {
        return Err(format!("first {:?}, then {:?}", first.choice, again.choice));
    }
    if fuel(&again) != fuel(&first) && !matches!(gets, Falls(Fallback::OutOfBudget(Budget::Stack)))
    {
        return Err(format!("it burnt {}, then {}", fuel(&first), fuel(&again)));
    }
    // A repeated decision is cached, unless it asked more questions than the cache stores. Stack
    // overflows are never cached, because they depend on more than the answers.
    let cached = [(); 2].map(|()| decide(&learning, &context));
    if cached.iter().any(|decision| decision.choice != expected) {
        return Err(format!("cached {cached:?} and not {expected:?}"));
    }
    let fleeting =
        name == "keys-million" || matches!(gets, Falls(Fallback::OutOfBudget(Budget::Stack)));
    if (cached[1].origin == Origin::Cached) == fleeting {
        return Err(format!("the second time it was {:?}", cached[1].origin));
    }
    Ok(())
}

#[test]
fn every_file_has_a_row() {
    let mut files: Vec<String> = std::fs::read_dir(spanmux_tests::folder_of("zoo"))
        .expect("the zoo")
        .map(|file| {
            file.expect("a file")
                .file_name()
                .to_string_lossy()
                .replace(".wat", "")
        })
        .collect();
    let mut rows: Vec<_> = rows()
        .into_iter()
        .map(|(name, _)| name.to_owned())
        .collect();
    files.sort();
    rows.sort();
    assert_eq!(files, rows);
}

#[test]
fn fallback_message_is_one_line() {
    let host = host();
    for (name, gets) in rows() {
        let Falls(reason) = gets else { continue };
        let told = reason.to_string();
        assert!(!told.contains(char::is_control), "{name}: {told:?}");
        assert!(!told.contains("trap: wasm trap"), "{name}: {told:?}");
    }
    still_answers(&host, &load(&host, "good", &guest("console")), "all");
}

#[test]
fn fuel_is_equal_on_two_hosts() {
    let context = environment("test");
    let cost = |file: &[u8]| fuel(&decide(&load(&host(), "guest", file), &context));
    for name in ["asker", "by-environment", "console", "wasi"] {
        let file = guest(name);
        assert_eq!(cost(&file), cost(&file), "{name}");
    }
    for name in [
        "memory-grow",
        "table-grow",
        "key-out-of-bounds",
        "sleeps-forever",
    ] {
        let file = zoo(name);
        assert_eq!(cost(&file), cost(&file), "{name}");
    }
}

#[test]
fn only_compatible_versions_load() {
    let console = text("guests", "console");
    let host = host();
    // The version that the file is built for, and its name in the error.
    for (suffix, found) in [
        ("@0.2.0", "0.2.0"),
        ("@1.0.0", "1.0.0"),
        ("@0.1.0-dev.1", "0.1.0-dev.1"),
        ("@0.10.0", "0.10.0"),
        ("", "no version"),
    ] {
        let other = console.replace("@0.1.0", suffix);
        match host.load("other", &component(&other)) {
            Err(error @ LoadError::OtherVersion { .. }) => {
                let message = error.to_string();
                assert!(
                    message.contains(found) && message.contains("speaks 0.1.0"),
                    "{suffix:?}: {message}"
                );
            }
            other => panic!("{suffix:?}: {other:?}"),
        }
    }
    for suffix in ["@0.1.0", "@0.1.1", "@0.1.7", "@0.1.40"] {
        for name in ["console", "by-environment", "asker"] {
            let newer = text("guests", name).replace("@0.1.0", suffix);
            let selector = load(&host, name, &component(&newer));
            let decision = decide(&selector, &environment("test"));
            assert!(
                name == "asker" || chose(&decision, "console"),
                "{name}{suffix}: {decision:?}"
            );
        }
    }
}

/// The outcome of files that are not components.
#[test]
fn file_that_is_not_a_component_is_refused() {
    let core = wat::parse_str("(module (memory 1))").expect("a module");
    let rows: [(&str, &[u8], &str, &str); 9] = [
        ("an empty file", b"", "NotWasm", "spanmux build"),
        ("one byte", b"\0", "NotWasm", "spanmux build"),
        ("a text", b"(component)", "NotWasm", "spanmux build"),
        (
            "a program",
            b"\x7fELF\x02\x01\x01\0",
            "NotWasm",
            "spanmux build",
        ),
        ("a module", &core, "CoreModule", "spanmux build"),
        (
            "the header of a module",
            b"\0asm\x01\0\0\0",
            "CoreModule",
            "spanmux build",
        ),
        ("half a header", b"\0asm", "Malformed", "copy it again"),
        (
            "a header of neither",
            b"\0asm\x07\0\x07\0",
            "Malformed",
            "copy it again",
        ),
        (
            "an empty component",
            b"\0asm\x0d\0\x01\0",
            "NoSelection",
            "it exports nothing",
        ),
    ];
    let host = host();
    for (what, file, expected, remedy) in rows {
        let error = host.load("file", file).expect_err(what);
        assert_eq!(variant(&error), expected, "{what}: {error}");
        assert!(error.to_string().contains(remedy), "{what}: {error}");
    }
}

#[test]
fn file_beyond_the_size_limit_is_refused() {
    let mut padded = guest("console");
    pad(&mut padded, 10 << 20);

    let small = host_within(limits().component_bytes(1 << 20));
    let error = small.load("padded", &padded).expect_err("too large");
    assert_eq!(variant(&error), "TooLarge", "{error}");
    assert!(error.to_string().contains("1048576"), "{error}");

    // Within the limit, the content of custom sections is ignored.
    let host = host();
    let padded = load(&host, "padded", &padded);
    assert!(chose(&decide(&padded, &RuntimeContext::empty()), "console"));
}

/// Appends a custom section.
fn pad(file: &mut Vec<u8>, bytes: usize) {
    file.push(0);
    leb(file, bytes + 4);
    file.extend(b"\x03pad");
    file.resize(file.len() + bytes, b'.');
}

/// Returns a component without the optional custom sections at its end.
fn essential(file: &[u8]) -> Vec<u8> {
    let mut essential = file[..8].to_vec();
    let mut rest = &file[8..];
    while let [id, after @ ..] = rest {
        let number = after
            .iter()
            .position(|byte| byte & 0x80 == 0)
            .expect("a length")
            + 1;
        let length = after[..number]
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7f));
        let (section, next) = rest.split_at(1 + number + length);
        if *id != 0 {
            essential.extend(section);
        }
        rest = next;
    }
    essential
}

/// Loads a file and, if that succeeds, makes a decision. A panic is reported with the file.
fn survives(host: &SelectorHost, what: &str, file: &[u8]) -> Result<(), LoadError> {
    let context = environment("test");
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        host.load("mangled", file).map(|selector| {
            decide(&selector, &context);
        })
    }));
    outcome.unwrap_or_else(|_| panic!("{what}: the host panicked"))
}

#[test]
fn component_truncated_at_any_byte_is_refused() {
    let host = host();
    let file = essential(&guest("by-environment"));
    for length in 0..file.len() {
        let what = format!("cut off after {length} bytes");
        let outcome = survives(&host, &what, &file[..length]);
        let error = outcome.expect_err(&what);
        assert!(!error.to_string().is_empty(), "{what}");
    }
    still_answers(
        &host,
        &load(&host, "whole", &guest("console")),
        "the cut files",
    );
}

#[test]
fn component_with_any_flipped_byte_does_not_panic_the_host() {
    let host = host_within(limits().fuel(200_000));
    let file = essential(&guest("by-environment"));
    let good = load(&host, "good", &guest("console"));
    for place in 0..file.len() {
        for flip in [0xff, 0x01] {
            let mut flipped = file.clone();
            flipped[place] ^= flip;
            // The file may load or be refused, but it must not panic.
            let _ = survives(&host, &format!("byte {place} ^ {flip:#x}"), &flipped);
        }
    }
    still_answers(&host, &good, "the flipped files");
}

#[test]
fn names_in_a_file_are_escaped_in_messages() {
    // Names are read before they are validated, so they can be any text.
    let hostile = |name: &str, hostile: &str| {
        // Keep all lengths in the file.
        let hostile = format!("{hostile:.<length$}", length = name.len());
        assert_eq!(name.len(), hostile.len(), "{hostile:?} is too long");
        let mut file = zoo("imports-sockets");
        let mut replaced = 0;
        for at in 0..file.len() - name.len() {
            if file[at..].starts_with(name.as_bytes()) {
                file[at..at + name.len()].copy_from_slice(hostile.as_bytes());
                replaced += 1;
            }
        }
        assert!(replaced > 0, "the file holds `{name}`");
        host()
            .load("hostile", &file)
            .expect_err("a hostile name")
            .to_string()
    };
    for message in [
        hostile("wasi:sockets/tcp@0.2.0", "\u{1b}[2J\r\nlevel=info"),
        hostile("selector/selection@0.1.0", "\u{1b}[2J\r\n"),
        hostile("/selection@0.1.0", "/selection@\u{1b}[2J"),
    ] {
        assert!(!message.contains(char::is_control), "{message:?}");
    }
}

#[test]
fn message_stays_short_with_a_thousand_exports() {
    let mut many = "(component (instance $i) ".to_owned();
    for number in 0..1000 {
        many += &format!("(export \"export-{number}\" (instance $i))");
    }
    let error = host()
        .load("many", &component(&(many + ")")))
        .expect_err("no selection");
    let message = error.to_string();
    assert!(
        message.contains("`export-0`") && message.contains("992 more"),
        "{message}"
    );
    assert!(message.len() < 1000, "{} bytes", message.len());
}

#[test]
fn large_and_deep_modules_load() {
    let functions: String = (0..2000)
        .map(|number| {
            format!("(func (param i32) (result i32) (i32.add (local.get 0) (i32.const {number})))")
        })
        .collect();
    let deep = format!("(func {} {})", "(block ".repeat(2000), ")".repeat(2000));
    let data = format!("(data (i32.const 30000) \"{}\")", "d".repeat(30_000));
    let globals = "(global i32 (i32.const 7))".repeat(2000);
    let locals = format!("(func (local {}))", "i64 ".repeat(40_000));
    let host = host();
    for (what, more) in [
        ("2,000 functions", functions),
        ("2,000 blocks in each other", deep),
        ("a large data segment", data),
        ("2,000 globals", globals),
        ("40,000 locals", locals),
    ] {
        let selector = load(&host, what, &console_with(&more));
        let decision = decide(&selector, &RuntimeContext::empty());
        assert!(chose(&decision, "console"), "{what}: {decision:?}");
    }
}

#[test]
fn deeply_nested_components_are_refused() {
    let host = host();
    // Appended to a valid component, so that the file is still a selector.
    let beside = |what: &str, more: &[u8]| {
        let mut file = guest("console");
        file.extend(more);
        survives(&host, what, &file)
    };
    for depth in [1, 10, 32] {
        let what = format!("{depth} deep");
        beside(&what, &nested(depth)[8..]).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    // The engine's time and memory grow with the square of the depth: thirty thousand levels, a
    // file of 400 kB, would take gigabytes.
    for depth in [33, 1000, 30_000, 100_000] {
        let error = beside("deep", &nested(depth)[8..]).expect_err("too deep");
        assert_eq!(variant(&error), "Compile", "{depth}: {error}");
        assert!(error.to_string().contains("32 deep"), "{depth}: {error}");
    }
    // Siblings are limited only by their number.
    let one = &nested(1)[8..];
    let outcome = beside("side by side", &one.repeat(900));
    assert!(outcome.is_ok(), "{outcome:?}");
    let outcome = beside("too many side by side", &one.repeat(100_000));
    assert_eq!(variant(&outcome.expect_err("too many")), "Malformed");
}

#[test]
fn deeply_nested_types_do_not_panic_the_host() {
    let host = host();
    for depth in [10, 90, 200, 5000] {
        let mut types = "(type $t0 (list u8))".to_owned();
        for level in 1..depth {
            types += &format!("(type $t{level} (list $t{}))", level - 1);
        }
        let last = depth - 1;
        let hostile = text("guests", "console").replacen(
            "(component\n",
            &format!(
                "(component {types} (import \"wasi:cli/environment@0.2.0\" (instance \
                 (alias outer 1 $t{last} (type $deep)) (export \"deep\" (func (param \"deep\" $deep)))))\n"
            ),
            1,
        );
        let outcome = survives(
            &host,
            &format!("{depth} types in each other"),
            &component(&hostile),
        );
        if let Err(error) = outcome {
            assert_eq!(variant(&error), "Malformed", "{depth}: {error}");
        }
    }
}

#[test]
fn fuel_limit_holds_wherever_it_ends() {
    let file = guest("by-environment");
    let context = environment("test");
    let within = |fuel| {
        let host = host_within(limits().fuel(fuel).sandboxes(1));
        host.load("by-environment", &file)
            .map(|selector| decide(&selector, &context))
    };
    let whole = within(Limits::FUEL).expect("it loads");
    let needed = fuel(&whole);
    // Fuel ends at a question, during it, and everywhere around it. The engine checks fuel at
    // backward branches and calls, so the last few instructions may be free.
    let mut enough = false;
    let budgets = (0..needed).step_by(7).chain(needed..needed + 3);
    for budget in budgets {
        let decision = match within(budget) {
            Ok(decision) => decision,
            Err(error) => {
                let message = error.to_string();
                assert!(message.contains("ran out of fuel"), "{budget}: {message}");
                continue;
            }
        };
        enough |= chose(&decision, "console");
        if !enough {
            let expected = Fallback::OutOfBudget(Budget::Fuel);
            assert_eq!(fallback(&decision), Some(&expected), "{budget} of {needed}");
        } else {
            assert!(
                chose(&decision, "console"),
                "{budget} of {needed}: {decision:?}"
            );
            assert_eq!(fuel(&decision), needed.min(budget), "{budget} of {needed}");
        }
    }
    assert!(enough, "{needed} is not enough");
    let decision = within(0);
    assert!(
        !matches!(decision, Ok(decision) if chose(&decision, "console")),
        "for nothing"
    );
}

#[test]
fn extreme_limits_are_supported() {
    let works = |what: &str, limits: Limits| {
        let selector = load(&host_within(limits), what, &guest("by-environment"));
        let decision = decide(&selector, &environment("test"));
        assert!(chose(&decision, "console"), "{what}: {decision:?}");
    };
    works("fuel without end", limits().fuel(u64::MAX));
    works(
        "time without end",
        limits().wall_clock(std::time::Duration::MAX),
    );
    works(
        "a wait without end",
        limits().admission_wait(std::time::Duration::MAX),
    );
    works("one sandbox", limits().sandboxes(1));
    works("one page of memory", limits().memory_bytes(65_536));
    works("no tables", limits().table_elements(0));
    works("16 MiB of stack", limits().stack_bytes(16 << 20));
    // More than any machine maps: sandboxes are then made on demand.
    works("no pool", limits().sandboxes(1_000_000));

    let error = SelectorHost::new(limits().stack_bytes(0));
    let message = error.expect_err("no stack").to_string();
    assert!(
        message.starts_with("failed to create a host for component selectors: "),
        "{message}"
    );
}

#[test]
fn hosts_without_a_pool_give_the_same_outcomes() {
    let host = host_within(limits().sandboxes(1_000_000));
    for name in [
        "memory-declared",
        "table-declared",
        "tables-declared",
        "memories-declared",
    ] {
        let error = host.load(name, &zoo(name)).expect_err(name);
        assert_eq!(variant(&error), "Declares", "{name}: {error}");
    }
    for (name, gets) in rows() {
        if matches!(gets, Falls(_) | Chooses(_)) {
            check(&host, name, &gets).unwrap_or_else(|failure| panic!("{name}: {failure}"));
        }
    }
}
