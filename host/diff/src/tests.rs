//! Comparisons of scripted selectors, which record their questions as components do.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use serde_json::json;
use spanmux_core::explanation::{Answer, Question, Transcript};
use spanmux_core::{Choice, ContextView, Decision, Fallback, Origin, Selector, TracerNames};

use crate::{Allowed, Comparison, Constants, Given, Member, Policy, Settings};

/// The questions of one run.
struct Run<'a> {
    view: ContextView<'a>,
    asked: Vec<(Question, Answer)>,
}

impl Run<'_> {
    fn ask(&mut self, question: Question) -> Answer {
        let answer = question.answer(&self.view);
        self.asked.push((question, answer.clone()));
        answer
    }

    fn text(&mut self, key: &str) -> String {
        match self.ask(Question::Get { key: key.into() }) {
            Answer::Text(text) => text,
            _ => String::new(),
        }
    }

    fn share(&mut self, key: &str) -> u32 {
        let bucket = Question::Bucket {
            key: key.into(),
            salt: "rollout-7".into(),
            buckets: 100,
        };
        match self.ask(bucket) {
            Answer::Share(share) => share,
            _ => u32::MAX,
        }
    }
}

type Rule = fn(&mut Run<'_>) -> &'static str;

struct Scripted(&'static str, Rule);

impl Selector for Scripted {
    fn name(&self) -> &str {
        self.0
    }

    fn digest(&self) -> Option<&str> {
        Some(self.0)
    }

    fn decide(&self, context: &ContextView<'_>, tracers: &TracerNames) -> Choice {
        self.transcript(context, tracers).unwrap().decision.choice
    }

    fn transcript(&self, context: &ContextView<'_>, tracers: &TracerNames) -> Option<Transcript> {
        let mut run = Run {
            view: *context,
            asked: Vec::new(),
        };
        let choice = match (self.1)(&mut run) {
            "" => Choice::Abstain,
            "busy" => Choice::Fallback(Fallback::Overloaded),
            "!" => Choice::failed("wrong"),
            name => tracers.choose(name),
        };
        Some(Transcript {
            questions: Some(run.asked),
            decision: Decision {
                choice,
                origin: Origin::Native,
            },
        })
    }
}

fn member(name: &str, words: &[&str], digest: &'static str, rule: Rule) -> Member {
    Member {
        name: name.into(),
        selector: Arc::new(Scripted(digest, rule)),
        constants: Constants {
            words: words.iter().map(|&word| word.to_owned()).collect(),
            ..Constants::default()
        },
    }
}

fn policy(name: &str, members: impl Into<Vec<Member>>) -> Policy {
    Policy {
        name: name.into(),
        members: members.into(),
    }
}

fn settings() -> Settings {
    Settings {
        budget: Comparison::BUDGET,
        ..Settings::default()
    }
}

fn compare(old: &Policy, new: &Policy) -> Comparison {
    Comparison::of(old, new, &settings(), &mut |_| {})
}

/// Returns each difference on a line.
fn lines(comparison: &Comparison) -> Vec<String> {
    let changes = comparison.changes.iter();
    let mut lines: Vec<String> = changes
        .flat_map(|change| {
            change.differences.iter().map(move |difference| {
                format!(
                    "{} → {}: {} e.g. {}",
                    change.from,
                    change.to,
                    difference.condition,
                    difference.example()
                )
            })
        })
        .collect();
    lines.sort();
    lines
}

fn tenant(digest: &'static str, rule: Rule) -> Member {
    member("20-tenant", &["acme", "hooli"], digest, rule)
}

fn by_tenant(run: &mut Run<'_>) -> &'static str {
    match run.text("tenant").as_str() {
        "acme" => "langfuse",
        _ => "",
    }
}

#[test]
fn changed_tracer_is_reported_with_the_smallest_context() {
    let old = policy("old", [tenant("a", by_tenant)]);
    let new = policy(
        "new",
        [tenant("b", |run| match run.text("tenant").as_str() {
            "acme" => "candidate",
            "hooli" => "!",
            _ => "",
        })],
    );
    let comparison = compare(&old, &new);
    assert_eq!(
        lines(&comparison),
        [
            "abstained → failed: tenant is \"hooli\" e.g. {\"tenant\":\"hooli\"}",
            "langfuse → candidate: tenant is \"acme\" e.g. {\"tenant\":\"acme\"}",
        ]
    );
    assert!(comparison.is_complete());
}

#[test]
fn equal_files_are_not_run() {
    let old = policy("old", [tenant("a", by_tenant)]);
    let new = policy("new", [tenant("a", |_| "never")]);
    let comparison = compare(&old, &new);
    assert!(comparison.identical && comparison.is_same());
    assert_eq!(comparison.groups[0].contexts, 0);
}

#[test]
fn other_file_with_the_same_rules_does_not_differ() {
    let old = policy("old", [tenant("a", by_tenant)]);
    // Asks in another order, and more.
    let new = policy(
        "new",
        [tenant("b", |run| {
            run.text("environment");
            if run.ask(Question::Has {
                key: "tenant".into(),
            }) == Answer::Has(false)
            {
                return "";
            }
            by_tenant(run)
        })],
    );
    let comparison = compare(&old, &new);
    assert_eq!(lines(&comparison), [""; 0]);
    assert!(!comparison.identical && comparison.is_same());
}

#[test]
fn wider_rollout_is_one_range_of_buckets() {
    let rollout = |digest, rule| member("30-rollout", &["pro"], digest, rule);
    let old = policy(
        "old",
        [rollout("a", |run| match run.share("user.id") {
            0..10 => "candidate",
            _ => "",
        })],
    );
    let new = policy(
        "new",
        [rollout("b", |run| match run.share("user.id") {
            0..25 => "candidate",
            _ => "",
        })],
    );
    let comparison = compare(&old, &new);
    assert_eq!(comparison.changes.len(), 1);
    let [difference] = &comparison.changes[0].differences[..] else {
        panic!("{:?}", lines(&comparison));
    };
    assert_eq!(
        difference.condition.to_string(),
        "bucket of user.id (100 shares, salt \"rollout-7\") is 10-24"
    );
}

#[test]
fn change_behind_another_selector_is_found_by_combining() {
    let first = || {
        member("10-env", &["production"], "env", |run| {
            match run.text("environment").as_str() {
                "production" => "",
                _ => "console",
            }
        })
    };
    let old = policy("old", [first(), tenant("a", by_tenant)]);
    let new = policy("new", [first(), tenant("b", |_| "")]);
    assert_eq!(
        lines(&compare(&old, &new)),
        [
            "langfuse → abstained: environment is \"production\" and tenant is \"acme\" \
          e.g. {\"environment\":\"production\",\"tenant\":\"acme\"}"
        ]
    );
}

#[test]
fn removed_and_reordered_selectors_are_found() {
    let all = || member("90-all", &[], "all", |_| "console");
    let both = policy("both", [tenant("a", by_tenant), all()]);
    let one = policy("one", [all()]);
    let expected = "langfuse → console: tenant is \"acme\" e.g. {\"tenant\":\"acme\"}";
    assert_eq!(lines(&compare(&both, &one)), [expected]);
    let turned = policy("turned", [all(), tenant("a", by_tenant)]);
    let comparison = compare(&both, &turned);
    assert_eq!(lines(&comparison), [expected]);
    assert!(
        comparison
            .text(&[])
            .to_string()
            .contains("in another order")
    );
}

#[test]
fn pair_of_values_that_are_read_at_once_is_found() {
    let rule = |digest, rule| member("20-tenant", &["acme", "hooli", "eu", "us"], digest, rule);
    let old = policy(
        "old",
        [rule("a", |run| {
            let _ = (run.text("tenant"), run.text("region"));
            ""
        })],
    );
    let new = policy(
        "new",
        [rule("b", |run| {
            let (tenant, region) = (run.text("tenant"), run.text("region"));
            if tenant == "hooli" && region == "us" {
                "candidate"
            } else {
                ""
            }
        })],
    );
    assert_eq!(
        lines(&compare(&old, &new)),
        [
            "abstained → candidate: region is \"us\" and tenant is \"hooli\" \
          e.g. {\"region\":\"us\",\"tenant\":\"hooli\"}"
        ]
    );
}

#[test]
fn given_contexts_are_counted_and_their_values_tried() {
    let old = policy("old", [member("x", &[], "a", |_| "")]);
    let new = policy(
        "new",
        [member("x", &[], "b", |run| {
            match run.text("tenant").as_str() {
                "secret" => "candidate",
                _ => "",
            }
        })],
    );
    assert!(compare(&old, &new).is_same());
    let given = |context| Given {
        label: "line 1".into(),
        context,
    };
    let settings = Settings {
        given: vec![
            given(json!({"tenant": "secret", "n": 1})),
            given(json!({"tenant": "x"})),
        ],
        ..settings()
    };
    let comparison = Comparison::of(&old, &new, &settings, &mut |_| {});
    assert_eq!(
        lines(&comparison),
        ["abstained → candidate: tenant is \"secret\" e.g. {\"tenant\":\"secret\"}"]
    );
    assert_eq!(comparison.changes[0].given.len(), 1);
    let text = comparison.text(&[]).to_string();
    assert!(text.contains("1 of 2 given"), "{text}");
}

#[test]
fn spent_budget_and_load_are_reported() {
    let old = policy("old", [tenant("a", by_tenant)]);
    let new = policy(
        "new",
        [tenant("b", |run| match run.text("tenant").as_str() {
            "acme" => "busy",
            _ => "",
        })],
    );
    let comparison = compare(&old, &new);
    assert!(comparison.is_same());
    assert_eq!(comparison.undetermined, 1);
    let settings = Settings {
        budget: 2,
        ..Settings::default()
    };
    let comparison = Comparison::of(&old, &new, &settings, &mut |_| {});
    assert!(!comparison.is_complete());
    let text = comparison.text(&[]).to_string();
    assert!(text.contains("raise --budget"), "{text}");
}

#[test]
fn allowed_changes_are_those_of_a_pattern() {
    let old = policy("old", [tenant("a", by_tenant)]);
    let new = policy("new", [tenant("b", |_| "")]);
    let comparison = compare(&old, &new);
    let allows = |patterns: &[&str]| {
        let patterns: Vec<Allowed> = patterns.iter().map(|each| each.parse().unwrap()).collect();
        comparison.is_allowed(&patterns)
    };
    assert!(allows(&["langfuse -> abstained"]));
    assert!(allows(&["x -> y", "* → abstained"]));
    assert!(!allows(&["langfuse -> candidate"]));
    assert!(!allows(&[]));
}

/// Texts of policies must neither add markup nor control a terminal.
#[test]
fn hostile_texts_stay_texts_in_every_format() {
    const HOSTILE: &str = "</td><script>\u{1b}[2J`@all\u{202e}";
    let old = policy(HOSTILE, [member(HOSTILE, &[HOSTILE], "a", |_| "")]);
    let new = policy(
        HOSTILE,
        [member(HOSTILE, &[HOSTILE], "b", |run| {
            match run.text("tenant").as_str() {
                HOSTILE => HOSTILE,
                _ => "",
            }
        })],
    );
    let comparison = compare(&old, &new);
    assert_eq!(comparison.changes.len(), 1);
    let html = comparison.to_html(&[]);
    let markdown = comparison.to_markdown(&[]);
    let text = comparison.text(&[]).to_string();
    assert!(!html.contains("<script"), "{html}");
    for line in markdown.lines().filter(|line| line.contains("@all")) {
        // Outside of code spans there is no text of a policy.
        let outside: String = line.split("``").step_by(2).collect();
        assert!(!outside.contains("@all"), "{line}");
    }
    for page in [html, markdown, text] {
        let hidden = |c: char| c != '\n' && !spanmux_core::explanation::is_printable(c);
        assert_eq!(page.chars().find(|c| hidden(*c)), None);
    }
    let json = comparison.to_json(&[]);
    let example = &json["changes"][0]["differences"][0]["example"];
    assert_eq!(example["tenant"], HOSTILE);
}
