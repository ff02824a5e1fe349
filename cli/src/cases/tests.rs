#![allow(clippy::unwrap_used, clippy::panic)]

use clap::CommandFactory as _;

use super::*;

const TRACERS: &str = "tracers = [\"langfuse\", \"console\"]\n";

fn parse(text: &str) -> Result<Cases, String> {
    Cases::parse(&[TRACERS, text].concat(), "c.toml").map_err(|error| format!("{error:#}"))
}

#[test]
fn parse_reads_every_field() {
    let cases = parse(
        "fallback = \"console\"\n\n[[case]]\nname = \"a\"\n\
         context = { user.tier = \"pro\", n = 7, f = 1.0, l = [true] }\n\
         tracer = \"console\"\ncause = \"failed\"\nreason = \"empty\"\nselector = \"x\"\n\n\
         [[case]]\nname = \"b\"\ncontext = '{\"a\": null}'\ntracers = [\"other\"]\ntracer = \"other\"\n",
    )
    .unwrap();
    assert_eq!(cases.fallback.as_deref(), Some("console"));
    let [a, b] = &cases.cases[..] else {
        panic!("expected two cases")
    };
    assert_eq!((a.line, b.line), (4, 12));
    let json = r#"{"f":1.0,"l":[true],"n":7,"user":{"tier":"pro"}}"#;
    assert_eq!(a.json.to_string(), json);
    assert_eq!(a.context.view().text("user.tier"), Some("pro"));
    assert_eq!(a.expected.cause, Some(Cause::Failed));
    assert_eq!(b.json.to_string(), r#"{"a":null}"#);
    assert_eq!(b.tracers.as_deref(), Some(&["other".to_owned()][..]));
}

#[test]
fn parse_error_has_line_and_suggestion_when_file_is_invalid() {
    let case = |rest: &str| format!("[[case]]\nname = \"a\"\ncontext = {{}}\n{rest}\n");
    let expected = "expected one of `name`, `context`, `tracers`, `tracer`, `cause`, `reason`, \
                    `selector`";
    let causes = "Available: no_tracers, no_selector, abstained, unknown_tracer, \
                  forbidden_tracer, failed, trapped, \
                  out_of_budget, overloaded, suspended, unavailable, host, incomplete_context";
    for (text, message) in [
        (
            String::new(),
            "c.toml contains no cases; add a [[case]] table for each expected decision".to_owned(),
        ),
        (
            case("tracr = \"console\""),
            format!("c.toml, line 5: unknown field `tracr`, {expected}; did you mean `tracer`?"),
        ),
        (
            "fallbak = \"console\"\n".to_owned(),
            "c.toml, line 2: unknown field `fallbak`, expected one of `tracers`, `fallback`, \
             `case`; did you mean `fallback`?"
                .to_owned(),
        ),
        (
            case("tracer = 7"),
            "c.toml, line 5: invalid type: integer `7`, expected a string".to_owned(),
        ),
        (
            case("tracer = \"langfus\""),
            "c.toml, line 5: unknown tracer \"langfus\"; did you mean `langfuse`? Available: \
             langfuse, console"
                .to_owned(),
        ),
        (
            "fallback = \"x\"\n[[case]]\nname = \"a\"\ncontext = {}\ncause = \"failed\"\n"
                .to_owned(),
            "c.toml, line 2: unknown tracer \"x\". Available: langfuse, console".to_owned(),
        ),
        (
            case("cause = \"abstain\""),
            format!("c.toml, line 5: unknown cause `abstain`; did you mean `abstained`? {causes}"),
        ),
        (
            case(""),
            "c.toml, line 2: case `a` has no expected result; add a `tracer` or a `cause`"
                .to_owned(),
        ),
        (
            "[[case]]\nname = \"a\"\ncause = \"failed\"\n".to_owned(),
            "c.toml, line 2: missing field `context`".to_owned(),
        ),
        (
            "[[case]]\nname = \"a\"\ncause = \"failed\"\ncontext = 7\n".to_owned(),
            "c.toml, line 5: the context is not a table; write { key = \"value\" }".to_owned(),
        ),
        (
            "[[case]]\nname = \"a\"\ncause = \"failed\"\ncontext = '{'\n".to_owned(),
            "c.toml, line 5: the context is not valid JSON: EOF while parsing an object at line 1 \
             column 1"
                .to_owned(),
        ),
        (
            "[[case]]\nname = \"a\"\ncause = \"failed\"\ncontext = { day = 2026-11-25 }\n"
                .to_owned(),
            "c.toml, line 5: a runtime context cannot contain dates; write the string \
             \"2026-11-25\""
                .to_owned(),
        ),
        (
            "[[case]]\nname = \"a\"\ncause = \"failed\"\ncontext = { n = inf }\n".to_owned(),
            "c.toml, line 5: JSON cannot represent inf".to_owned(),
        ),
    ] {
        assert_eq!(parse(&text).err(), Some(message), "{text}");
    }
}

#[test]
fn differences_lists_every_field_that_does_not_match() {
    let got = |tracer: &str, cause: Option<&'static str>, reason: Option<&str>| Got {
        tracer: Some(tracer.to_owned()),
        cause,
        reason: reason.map(str::to_owned),
        selector: Some("s".to_owned()),
    };
    let expected = |tracer: Option<&str>, cause, reason: Option<&str>, selector: Option<&str>| {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Expected {
            tracer: owned(tracer),
            cause,
            reason: owned(reason),
            selector: owned(selector),
        }
    };
    let failed = got(
        "console",
        Some("failed"),
        Some("the selector failed: empty"),
    );
    let kind = Some(Cause::Failed);
    for (expected, got, differences) in [
        (
            expected(Some("a"), None, None, None),
            &got("a", None, None),
            vec![],
        ),
        (
            expected(Some("a"), None, None, None),
            &got("b", None, None),
            vec![("tracer", "a", "b")],
        ),
        // The default tracer received the trace, but no selector chose it.
        (
            expected(Some("console"), None, None, None),
            &failed,
            vec![("cause", "chosen", "failed")],
        ),
        (
            expected(None, kind, Some("empty"), Some("s")),
            &failed,
            vec![],
        ),
        (
            expected(Some("a"), kind, Some("full"), Some("t")),
            &failed,
            vec![
                ("tracer", "a", "console"),
                ("reason", "full", "the selector failed: empty"),
                ("selector", "t", "s"),
            ],
        ),
        (
            expected(None, kind, Some("x"), None),
            &got("a", None, None),
            vec![("cause", "failed", "chosen"), ("reason", "x", "none")],
        ),
    ] {
        let found = expected.differences(got);
        let found = found
            .iter()
            .map(|d| (d.what, d.expected.as_str(), d.got.as_str()));
        assert_eq!(
            found.collect::<Vec<_>>(),
            differences,
            "{expected:?} {got:?}"
        );
    }
}

#[test]
fn example_cases_in_help_are_valid() {
    let command = crate::args::Args::command();
    let test = command.find_subcommand("test").unwrap();
    let help = test.get_after_help().unwrap().to_string();
    let example: String = help
        .lines()
        .skip_while(|line| !line.starts_with("  tracers"))
        .take_while(|line| !line.starts_with("Each file"))
        .map(|line| format!("{}\n", line.trim_start()))
        .collect();
    let cases = Cases::parse(&example, "help").unwrap();
    assert_eq!(cases.cases.len(), 3);
    assert_eq!(cases.cases[1].json["user"]["tier"], "");
}
