//! The runs: all combinations of contexts, sets of selectors, and concurrency.

use anyhow::Result;
use spanmux::RuntimeContext;

use crate::selecting::{Named, SelectorSet};
use crate::work::Work;

/// Numbers of concurrent runs.
pub const CONCURRENCY: [usize; 4] = [1, 2, 5, 10];

/// The contexts of the runs. Each exercises another rule of the selectors.
const CONTEXTS: [(&str, &str); 10] = [
    (
        "production",
        r#"{"environment": "production", "user": {"id": "user-1", "tier": "pro"}}"#,
    ),
    (
        "development",
        r#"{"environment": "development", "pin": "langfuse-eu"}"#,
    ),
    (
        "tenant acme",
        r#"{"environment": "production", "tenant": "acme"}"#,
    ),
    (
        "tenant umbrella",
        r#"{"environment": "development", "tenant": "umbrella"}"#,
    ),
    (
        "a strange tenant",
        r#"{"environment": "production", "tenant": "stranger"}"#,
    ),
    (
        "enterprise in Europe",
        r#"{"environment": "staging", "region": "eu-west-1", "user": {"id": "user-1", "tier": "enterprise"}}"#,
    ),
    (
        "free tier",
        r#"{"pin": "no-such-tracer", "user": {"id": "user-1", "tier": "free"}}"#,
    ),
    (
        "in the rollout",
        r#"{"environment": "staging", "user": {"id": "user-17", "tier": "team"}}"#,
    ),
    ("a health check", r#"{"environment": "production"}"#),
    (
        "a tenant that is no text",
        r#"{"environment": "production", "tenant": 7}"#,
    ),
];
const HEALTH_CHECK: &str = "a health check";

/// One request to the service.
pub struct Run {
    pub number: u32,
    pub about: &'static str,
    pub selectors: &'static str,
    pub concurrency: usize,
    pub work: Work,
    pub context: RuntimeContext,
    /// The expected selection.
    pub named: Named,
}

/// Runs that share a set of selectors and run concurrently.
pub struct Batch<'a> {
    pub selectors: &'a SelectorSet,
    pub concurrency: usize,
    pub runs: Vec<Run>,
}

/// Returns all runs. `first` is the number of the first one.
pub fn batches(sets: &[SelectorSet], first: u32) -> Result<Vec<Batch<'_>>> {
    let mut batches = Vec::new();
    let mut number = first;
    for selectors in sets {
        for (turn, concurrency) in CONCURRENCY.into_iter().enumerate() {
            let runs = CONTEXTS.iter().enumerate().map(|(place, context)| {
                number += 1;
                // Shifted by the sets and turns, so that all combinations occur.
                run(number - 1, *context, place + turn, selectors, concurrency)
            });
            batches.push(Batch {
                selectors,
                concurrency,
                runs: runs.collect::<Result<_>>()?,
            });
        }
    }
    Ok(batches)
}

fn run(
    number: u32,
    (about, context): (&'static str, &str),
    turn: usize,
    selectors: &SelectorSet,
    concurrency: usize,
) -> Result<Run> {
    let context = RuntimeContext::from_json(context)?;
    let work = match about {
        HEALTH_CHECK => Work::HealthCheck,
        _ => Work::TURNS[turn % Work::TURNS.len()],
    };
    Ok(Run {
        number,
        about,
        selectors: selectors.name,
        concurrency,
        work,
        named: selectors.ask(&context, work)?,
        context,
    })
}
