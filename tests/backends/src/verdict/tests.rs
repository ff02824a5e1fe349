//! Tests of the verdict: each row damages a correct trace.

use serde_json::json;
use spanmux::RuntimeContext;

use super::*;
use crate::work::Work;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn done() -> Done {
    let run = Run {
        number: 7,
        about: "production",
        selectors: "all five",
        concurrency: 1,
        work: Work::Agent,
        context: RuntimeContext::empty(),
        named: Named {
            tracer: "langfuse".to_owned(),
            by: "50-environment".to_owned(),
            why: CHOSEN.to_owned(),
        },
    };
    let spans = run.work.plan(run.number).len();
    Done {
        run,
        trace: TRACE.to_owned(),
        sent: (0..spans).map(|number| number.to_string()).collect(),
    }
}

/// Returns the spans that a backend stores on success.
fn stored(done: &Done) -> Vec<StoredSpan> {
    let span = |(number, planned): (usize, &PlannedSpan)| {
        let (kind, model, usage) = looks_in(Dialect::Phoenix, planned);
        StoredSpan {
            place: "phoenix/langfuse".to_owned(),
            trace: TRACE.to_owned(),
            id: number.to_string(),
            parent: (number > 0).then(|| "0".to_owned()),
            kind,
            model,
            usage,
            attributes: serde_json::Map::new(),
        }
    };
    let mut spans: Vec<_> = done.plan().iter().enumerate().map(span).collect();
    let reason = [
        (attributes::TRACER, "langfuse"),
        (attributes::SELECTOR, "50-environment"),
    ];
    for (key, value) in reason {
        spans[0].attributes.insert(key.to_owned(), json!(value));
    }
    spans
}

fn problems(spans: Vec<StoredSpan>) -> String {
    Verdict::of(&done(), &Store::of(spans)).problems.join("; ")
}

#[test]
fn complete_trace_has_no_problems() {
    assert_eq!(problems(stored(&done())), "");
}

#[test]
fn every_defect_is_a_problem() {
    type Break = fn(&mut Vec<StoredSpan>);
    let rows: [(&str, Break, &str); 11] = [
        ("lost", |spans| spans.clear(), "7 missing"),
        ("incomplete", |spans| drop(spans.pop()), "1 missing"),
        (
            "torn",
            |spans| spans[3].place = "mlflow/datadog".to_owned(),
            "1 spans are in mlflow",
        ),
        (
            "stored twice",
            |spans| spans.push(spans[6].clone()),
            "1 stored twice",
        ),
        (
            "another's",
            |spans| spans[6].id = "strange".to_owned(),
            "1 not sent",
        ),
        ("two roots", |spans| spans[5].parent = None, "2 roots"),
        (
            "an orphan",
            |spans| spans[5].parent = Some("gone".to_owned()),
            "1 spans without",
        ),
        (
            "no reason",
            |spans| spans[0].attributes.clear(),
            "the root says no tracer",
        ),
        (
            "another kind",
            |spans| spans[1].kind = "TOOL".to_owned(),
            "shown as",
        ),
        (
            "another model",
            |spans| spans[1].model = Some("gpt".to_owned()),
            "shown as",
        ),
        (
            "another count",
            |spans| spans[6].usage.cached = Some(1),
            "shown as",
        ),
    ];
    for (name, break_it, expected) in rows {
        let mut spans = stored(&done());
        break_it(&mut spans);
        let problems = problems(spans);
        assert!(problems.contains(expected), "{name}: {problems:?}");
    }
}

#[test]
fn copy_in_another_backend_is_a_problem() {
    let mut spans = stored(&done());
    let mut copies = stored(&done());
    for copy in &mut copies {
        copy.place = "phoenix/candidate".to_owned();
    }
    spans.extend(copies);
    assert!(problems(spans).contains("7 spans are in phoenix/candidate"));
}

#[test]
fn discarded_trace_must_not_be_stored() {
    let mut done = done();
    done.run.named.tracer = "discard".to_owned();
    assert!(
        Verdict::of(&done, &Store::of(Vec::new()))
            .problems
            .is_empty()
    );
    let store = Store::of(stored(&done));
    assert!(!Verdict::of(&done, &store).problems.is_empty());
}
