//! The appearance of each format, and properties of all formats for any tree.

#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::{Value, json};

use super::samples::{self, abstains, chooses, edge, explanation, fails, get, text, unknown};
use super::words::width as width_of;
use super::{Answer, Edge, Explanation, Hits, Outcome, Question, Rule, Rules, Step};

/// Returns the tree without the heading and the findings.
fn tree(explanation: &Explanation, columns: usize) -> String {
    let text = Rules::new(explanation).text(columns).to_string();
    let lines = text.lines().skip(3).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn rules_match_the_source() {
    for (explanation, expected) in [
        (
            samples::environment(),
            r#"
environment?
├─ "production" ··········· langfuse   24  40 %
├─ "development" ·········· console    12  20 %
├─ "staging" ·············· datadog    12  20 %
└─ "qa", "test", absent ··· abstains   12  20 %"#,
        ),
        (
            samples::tenant(),
            r#"
has tenant?
├─ yes → tenant?
│  ├─ "acme" ························· tenant-acme                      10  17 %
│  ├─ "umbrella" ····················· tenant-umbrella                   8  13 %
│  ├─ "stranger" ····················· quarantine                        7  12 %
│  ├─ "globex", "hooli", "initech" ··· abstains                         19  32 %
│  ├─ "" ····························· failed: `tenant` is empty         1   2 %
│  └─ null, 7 ························ failed: `tenant` is … not text    2   3 %
└─ no ································ abstains                         13  22 %"#,
        ),
        (
            samples::rollout(),
            r#"
bucket of user.id (100 shares, salt "rollout-7")?
├─ 0–9 of 100 ······················· candidate   10  17 %
└─ 10–98 (45 seen) of 100, absent ··· abstains    50  83 %"#,
        ),
        (
            samples::tier_region(),
            r#"
user.tier?
├─ "enterprise" → region?
│  ├─ "us-east-1" ··················· langfuse                       4   7 %
│  ├─ "eu-west-1", "eu-central-1" ··· langfuse-eu                    9  15 %
│  └─ absent ························ failed: `region` is missing    2   3 %
├─ "free" ··························· datadog                       15  25 %
└─ "pro", "team", absent ············ abstains                      30  50 %"#,
        ),
    ] {
        assert_eq!(tree(&explanation, 90), expected.trim_start());
    }
}

#[test]
fn branch_breaks_between_answers_when_terminal_is_narrow() {
    for columns in [0, 40, 44, 60, 80, 120] {
        for explanation in samples::all() {
            let text = Rules::new(&explanation).text(columns).to_string();
            for line in text.lines() {
                assert!(width_of(line) <= columns.max(40), "{columns}: {line}");
            }
        }
    }
}

#[test]
fn text_lists_unchosen_tracers_and_errors() {
    let text = Rules::new(&samples::tenant()).text(90).to_string();
    assert!(text.ends_with(
        "
Never chosen: langfuse, langfuse-eu, datadog, candidate, console, discard
Errors: failed: `tenant` is … not text (2), failed: `tenant` is empty (1)
"
    ));
    let rules = Rules::new(&samples::health_checks());
    assert_eq!(rules.unknown_tracers, [("discard-all".to_owned(), 4)]);
    assert_eq!(rules.chosen, [("discard".to_owned(), 6)]);
    assert_eq!(rules.abstained, Some(50));
    assert!(rules.failures.is_empty());
}

#[test]
fn selector_without_questions_has_rules() {
    let mut always = explanation("always", chooses("console", 3));
    assert_eq!(tree(&always, 60), "always ··· console   3  100 %");
    assert!(Rules::new(&always).to_svg().contains(">console<"));
    always.tree = None;
    let rules = Rules::new(&always);
    assert!(rules.text(60).to_string().contains("No decisions yet"));
    for shown in [rules.to_svg(), rules.to_mermaid()] {
        assert!(shown.contains("No decisions yet"));
    }
    assert_eq!(rules.to_json()["tree"], Value::Null);
}

#[test]
fn counts_are_hidden_when_all_are_zero() {
    let uncounted = explanation("s", get("k", [text("a", abstains(0))]));
    assert_eq!(tree(&uncounted, 60), "k?\n└─ \"a\" ··· abstains");
    let rules = Rules::new(&uncounted);
    assert!(!rules.to_svg().contains(" %<") && !rules.to_mermaid().contains("<br/>"));
}

#[test]
fn json_is_complete() {
    let rules = Rules::new(&samples::tier_region()).to_json();
    assert_eq!(rules["selector"], "40-tier-region");
    assert_eq!(rules["hits"], 60);
    assert_eq!(
        rules["tree"]["asks"],
        json!({"question": "get", "key": "user.tier"})
    );
    let branch = &rules["tree"]["branches"][0];
    assert_eq!(branch["label"], "\"enterprise\"");
    assert_eq!(
        branch["then"]["branches"][1],
        json!({
            "label": "\"eu-west-1\", \"eu-central-1\"",
            "answers": [
                {"type": "text", "value": "eu-west-1", "hits": 5},
                {"type": "text", "value": "eu-central-1", "hits": 4},
            ],
            "then": {"hits": 9, "decides": {"outcome": "tracer", "tracer": "langfuse-eu"}},
        })
    );
    let large = Rules::new(&samples::large()).to_json();
    let answers = large["tree"]["branches"].as_array().unwrap().iter();
    let answers = answers.map(|branch| branch["answers"].as_array().unwrap().len());
    assert_eq!(answers.sum::<usize>(), 1_402, "nothing is omitted");
}

#[test]
fn mermaid_renders_one_chart() {
    let chart = Rules::new(&samples::tier_region()).to_mermaid();
    let expected = r##"flowchart LR
  %% 40-tier-region
  n0(["user.tier?"]):::question
  n1(["region?"]):::question
  n2["langfuse<br/>4 · 7 %"]:::tracer0
  n1 -->|"#34;us-east-1#34;"| n2
  linkStyle 0 stroke-width:1.5px
  n3["langfuse-eu<br/>9 · 15 %"]:::tracer1
  n1 -->|"#34;eu-west-1#34;, #34;eu-central-1#34;"| n3
  linkStyle 1 stroke-width:2.0px
  n4["failed: #96;region#96; is missing<br/>2 · 3 %"]:::fallback
  n1 -->|"absent"| n4
"##;
    assert!(chart.starts_with(expected), "{chart}");
}

/// Names with markup, directives, string terminators and invisible characters.
const HOSTILE: [&str; 12] = [
    "</svg><script>alert(1)</script>",
    "\"]; end\n%% --> click n0 href",
    "]]>&amp;<!-- '\"",
    "end",
    "\u{202e}txt.exe\u{202c}",
    "\u{1b}[2J\u{7}\r\n\t",
    "\0\u{fffe}\u{ffff}\u{feff}\u{200b}",
    "`code` **bold** #quot; #35;",
    "- item",
    "1. item",
    "日本語 👩‍👩‍👧 שלום",
    "",
];

fn hostile() -> Vec<Explanation> {
    let tree = |word: &str| {
        let end = |outcome| Step::Decides(outcome, 1);
        let edges = vec![
            text(word, end(Outcome::Tracer(word.to_owned()))),
            edge(Answer::Json(word.to_owned()), unknown(word, 1)),
            edge(Answer::Keys(vec![word.to_owned()]), fails(word, 1)),
            text(
                "deeper",
                Step::Asks(
                    Question::Bucket {
                        key: word.to_owned(),
                        salt: word.to_owned(),
                        buckets: 7,
                    },
                    vec![edge(Answer::Share(1), abstains(1))],
                ),
            ),
        ];
        Explanation {
            tracers: vec![word.to_owned(), format!("{word} never")],
            digest: Some(word.to_owned()),
            ..explanation(word, get(word, edges))
        }
    };
    HOSTILE.iter().map(|word| tree(word)).collect()
}

#[test]
fn hostile_names_are_text_in_svg() {
    for explanation in hostile().into_iter().chain(samples::all()) {
        let mut rules = Rules::new(&explanation);
        rules.note = Some(explanation.selector.clone());
        let svg = rules.to_svg();
        let document = roxmltree::Document::parse(&svg).unwrap_or_else(|e| panic!("{e}: {svg}"));
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            let name = node.tag_name().name();
            let known = [
                "svg", "title", "style", "rect", "path", "g", "text", "circle",
            ];
            assert!(known.contains(&name), "an element `{name}`");
        }
        let unseen = |c: char| c.is_control() && c != '\n';
        let turned = ['\u{202e}', '\u{200b}', '\u{feff}', '\u{fffe}'];
        assert!(!svg.contains(unseen) && !svg.contains(turned), "{svg}");
    }
}

#[test]
fn hostile_names_are_text_in_mermaid() {
    for explanation in hostile() {
        let chart = Rules::new(&explanation).to_mermaid();
        for line in chart.lines().skip(2) {
            let quoted: Vec<&str> = line.split('"').collect();
            assert!(matches!(quoted.len(), 1 | 3), "{line}");
            if let [before, words, after] = quoted[..] {
                assert!(!words.is_empty(), "{line}");
                let words = words.replace("<br/>", "");
                let sign = |c: char| "<>&`*[](){}|\\\n".contains(c);
                let words: String = words.chars().filter(|c| !"()".contains(*c)).collect();
                assert!(!words.contains(sign), "{line}");
                for code in words.split('#').skip(1) {
                    let code = code.split(';').next().unwrap();
                    assert!(code.parse::<u32>().is_ok(), "{line}");
                }
                for shape in [before, after] {
                    assert!(!shape.contains(|c: char| !c.is_ascii()), "{line}");
                }
            }
        }
    }
}

#[test]
fn hostile_names_stay_on_one_line_in_text() {
    for explanation in hostile() {
        for line in Rules::new(&explanation).text(80).to_string().lines() {
            assert!(!line.contains(char::is_control), "{line:?}");
            assert!(width_of(line) <= 80, "{line}");
        }
    }
}

#[test]
fn large_tree_is_truncated_to_a_page() {
    let rules = Rules::new(&samples::large());
    let text = rules.text(100).to_string();
    assert!(text.lines().count() < 120, "{}", text.lines().count());
    assert!(text.contains("… and ") && text.contains("more answers"));
    let svg = rules.to_svg();
    assert!(svg.len() < 100_000, "{} bytes", svg.len());
    // The limits of code forges.
    let chart = rules.to_mermaid();
    assert!(chart.len() < 50_000 && chart.matches("-->").count() < 280);
}

#[test]
fn deep_tree_is_truncated() {
    let mut step = abstains(7);
    for level in 0..3_000 {
        step = get(&format!("k{level}"), [text("a", step)]);
    }
    let explanation = explanation("deep", step);
    let rules = Rules::new(&explanation);
    assert_eq!(rules.hits, 7);
    assert_eq!(hits_of(rules.root.as_ref().unwrap()), 7);
    assert!(rules.text(80).lines.len() < 40);
    assert!(rules.to_svg().contains("more questions"));
    rules.to_json();
    rules.to_mermaid();
}

/// Adds up the counts of all leaves of a rule and checks every sum.
fn hits_of(rule: &Rule) -> Hits {
    match rule {
        Rule::Asks { branches, hits, .. } => {
            let sum: Hits = branches
                .iter()
                .map(|branch| {
                    let below = hits_of(&branch.then);
                    let answers: Hits = branch.answers.iter().map(|seen| seen.hits).sum();
                    assert_eq!(answers, below);
                    below
                })
                .sum();
            assert_eq!(sum, *hits);
            sum
        }
        Rule::Decides { hits, .. } | Rule::GoesOn { hits } => *hits,
    }
}

/// A reproducible pseudo-random number generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % sides
    }

    fn step(&mut self, depth: u64) -> Step {
        if depth == 0 || self.roll(3) == 0 {
            return match self.roll(4) {
                0 => abstains(self.roll(9)),
                1 => fails(
                    ["`a` is null, no text", "`a` is 7, no text", "x"][self.roll(3) as usize],
                    self.roll(9),
                ),
                2 => unknown("nobody", self.roll(9)),
                _ => chooses(samples::TRACERS[self.roll(3) as usize], self.roll(9)),
            };
        }
        let edges: Vec<Edge> = (0..self.roll(9))
            .map(|number| {
                let answer = match self.roll(3) {
                    0 => Answer::Integer(number as i64),
                    1 if number == 0 => Answer::Absent,
                    _ => Answer::Text(format!("t{number}")),
                };
                edge(answer, self.step(depth - 1))
            })
            .collect();
        get(&format!("k{}", self.roll(2)), edges)
    }
}

fn raw_hits(step: &Step) -> Hits {
    match step {
        Step::Decides(_, hits) => *hits,
        Step::Asks(_, edges) => edges.iter().map(|edge| raw_hits(&edge.then)).sum(),
    }
}

fn turned_round(step: &Step) -> Step {
    match step {
        Step::Decides(..) => step.clone(),
        Step::Asks(question, edges) => {
            let edges = edges.iter().rev();
            let edges = edges.map(|each| edge(each.answer.clone(), turned_round(&each.then)));
            Step::Asks(question.clone(), edges.collect())
        }
    }
}

#[test]
fn rules_keep_all_counts_and_ignore_insertion_order() {
    let mut dice = Dice(7);
    for _ in 0..150 {
        let step = dice.step(4);
        let rules = Rules::new(&explanation("s", step.clone()));
        assert_eq!(rules.hits, raw_hits(&step));
        assert_eq!(hits_of(rules.root.as_ref().unwrap()), rules.hits);
        let by_outcome = rules.chosen.iter().map(|(_, hits)| hits).sum::<Hits>()
            + rules.abstained.unwrap_or_default()
            + rules
                .unknown_tracers
                .iter()
                .map(|(_, hits)| hits)
                .sum::<Hits>()
            + rules.failures.iter().map(|(_, _, hits)| hits).sum::<Hits>();
        assert_eq!(by_outcome, rules.hits);

        let other = Rules::new(&explanation("s", turned_round(&step)));
        assert_eq!(shown(&rules), shown(&other));
    }
}

fn shown(rules: &Rules) -> [String; 4] {
    [
        rules.text(80).to_string(),
        rules.to_json().to_string(),
        rules.to_mermaid(),
        rules.to_svg(),
    ]
}
