//! Trees for tests of the drawings: those of the example selectors for some contexts, and
//! one that is too large to draw.

use super::{Answer, Edge, Explanation, Hits, Outcome, Question, Step};

pub(super) const TRACERS: [&str; 9] = [
    "langfuse",
    "langfuse-eu",
    "datadog",
    "tenant-acme",
    "tenant-umbrella",
    "candidate",
    "quarantine",
    "console",
    "discard",
];

pub(super) fn explanation(selector: &str, tree: Step) -> Explanation {
    Explanation {
        selector: selector.to_owned(),
        digest: Some("3f2a91c0be44d7a1".to_owned()),
        tracers: TRACERS.map(str::to_owned).to_vec(),
        tree: Some(tree),
        hits: 60,
        runs: 12,
        edges: 8,
        bytes: 1_200,
    }
}

pub(super) fn get(key: &str, edges: impl IntoIterator<Item = Edge>) -> Step {
    let question = Question::Get { key: key.into() };
    Step::Asks(question, edges.into_iter().collect())
}

pub(super) fn edge(answer: Answer, then: Step) -> Edge {
    Edge { answer, then }
}

pub(super) fn text(text: &str, then: Step) -> Edge {
    edge(Answer::Text(text.into()), then)
}

pub(super) fn chooses(name: &str, hits: Hits) -> Step {
    Step::Decides(Outcome::Tracer(name.into()), hits)
}

pub(super) fn abstains(hits: Hits) -> Step {
    Step::Decides(Outcome::Abstains, hits)
}

pub(super) fn fails(reason: &str, hits: Hits) -> Step {
    fallback("failed", &format!("the selector failed: {reason}"), hits)
}

pub(super) fn unknown(name: &str, hits: Hits) -> Step {
    fallback(
        "unknown_tracer",
        &format!("no tracer is named \"{name}\""),
        hits,
    )
}

pub(super) fn fallback(cause: &str, reason: &str, hits: Hits) -> Step {
    let (cause, reason) = (cause.into(), reason.into());
    Step::Decides(Outcome::Fallback { cause, reason }, hits)
}

pub(super) fn environment() -> Explanation {
    explanation(
        "50-environment",
        get(
            "environment",
            [
                text("qa", abstains(9)),
                text("production", chooses("langfuse", 24)),
                text("development", chooses("console", 12)),
                edge(Answer::Absent, abstains(1)),
                text("staging", chooses("datadog", 12)),
                text("test", abstains(2)),
            ],
        ),
    )
}

pub(super) fn tenant() -> Explanation {
    let tenants = get(
        "tenant",
        [
            text("globex", abstains(9)),
            text("acme", chooses("tenant-acme", 10)),
            text("hooli", abstains(8)),
            text("stranger", chooses("quarantine", 7)),
            text("umbrella", chooses("tenant-umbrella", 8)),
            edge(
                Answer::Integer(7),
                fails("`tenant` is an integer, not text", 1),
            ),
            text("", fails("`tenant` is empty", 1)),
            text("initech", abstains(2)),
            edge(Answer::Null, fails("`tenant` is null, not text", 1)),
        ],
    );
    explanation(
        "20-tenant",
        Step::Asks(
            Question::Has {
                key: "tenant".into(),
            },
            vec![
                edge(Answer::Has(false), abstains(13)),
                edge(Answer::Has(true), tenants),
            ],
        ),
    )
}

pub(super) fn rollout() -> Explanation {
    let share = |share| {
        let then = match share {
            0..10 => chooses("candidate", 1),
            _ => abstains(1),
        };
        edge(Answer::Share(share), then)
    };
    let shares = (0..10).chain((10..100).step_by(2)).map(share);
    explanation(
        "30-rollout",
        Step::Asks(
            Question::Bucket {
                key: "user.id".into(),
                salt: "rollout-7".into(),
                buckets: 100,
            },
            shares.chain([edge(Answer::Absent, abstains(5))]).collect(),
        ),
    )
}

pub(super) fn tier_region() -> Explanation {
    let region = get(
        "region",
        [
            text("eu-west-1", chooses("langfuse-eu", 5)),
            text("us-east-1", chooses("langfuse", 4)),
            text("eu-central-1", chooses("langfuse-eu", 4)),
            edge(Answer::Absent, fails("`region` is missing", 2)),
        ],
    );
    explanation(
        "40-tier-region",
        get(
            "user.tier",
            [
                text("pro", abstains(14)),
                text("free", chooses("datadog", 15)),
                text("team", abstains(14)),
                text("enterprise", region),
                edge(Answer::Absent, abstains(2)),
            ],
        ),
    )
}

pub(super) fn health_checks() -> Explanation {
    explanation(
        "10-health-checks",
        get(
            "span.name",
            [
                text("POST /chat", abstains(40)),
                text("GET /healthz", unknown("discard-all", 4)),
                text("GET /livez", chooses("discard", 4)),
                text("health", chooses("discard", 2)),
                text("workflow refund", abstains(9)),
                edge(Answer::Absent, abstains(1)),
            ],
        ),
    )
}

/// Creates a tenant selector with four hundred tenants that all differ, a second question
/// for some of them, a thousand users with equal results, and hostile names.
pub(super) fn large() -> Explanation {
    let tenant = |number: u32| {
        let then = match number % 7 {
            0 => get(
                "region",
                (0..12).map(|region| {
                    text(
                        &format!("region-{region}"),
                        chooses(TRACERS[(number + region) as usize % 9], 3),
                    )
                }),
            ),
            _ => unknown(&format!("tenant-{number}"), u64::from(number % 5)),
        };
        text(
            &format!("customer-{number:03}-of-a-long-name-that-goes-on"),
            then,
        )
    };
    let users = (0..1_000).map(|user| text(&format!("u-{user}"), abstains(2)));
    let hostile = [
        text("</svg><script>alert(1)</script>", chooses("langfuse", 9)),
        text("\"]; end\n%% --> \u{202e}evil\u{0}", chooses("console", 4)),
    ];
    let tenants = (0..400).map(tenant).chain(users).chain(hostile);
    explanation("99-large & <hostile>", get("tenant", tenants))
}

pub(super) fn all() -> [Explanation; 6] {
    [
        health_checks(),
        tenant(),
        rollout(),
        tier_region(),
        environment(),
        large(),
    ]
}
