//! A Python program, whose spans are those of OpenInference, with the Python package of Spanmux.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::backends::Backends;
use crate::checks::Checks;
use crate::environment::Environment;
use crate::store::Store;
use crate::stored::StoredSpan;

/// The tracers of the program, with the beginnings of the places in which they are stored.
const PLACES: [(&str, &str); 2] = [
    ("python-phoenix", "phoenix/python-phoenix"),
    ("python-mlflow", "mlflow/python-mlflow"),
];

/// The traces of each tracer, and the spans of each trace.
const TRACES: usize = 10;
const SPANS: usize = 2;

/// The tokens in the answers of the model.
const TOKENS: (u64, u64) = (11, 7);

/// A line that the program prints.
#[derive(Deserialize)]
struct Sent {
    tracer: String,
    trace: String,
    spans: BTreeSet<String>,
}

/// Runs the program, and checks in the backends that each trace is whole and in one place.
pub fn run(environment: &Environment, backends: &mut Backends, checks: &mut Checks) -> Result<()> {
    let config = environment.folder("python")?.join("spanmux.toml");
    let experiment = backends.mlflow.make_experiment("python-mlflow")?;
    let (phoenix, mlflow) = (backends.phoenix.base(), backends.mlflow.base());
    fs::write(
        &config,
        format!(
            "service = \"python\"\n\
             [tracers.python-phoenix.exporter]\n\
             type = \"phoenix\"\n\
             base_url = \"{phoenix}\"\n\
             project = \"python-phoenix\"\n\
             [tracers.python-mlflow.exporter]\n\
             type = \"mlflow\"\n\
             base_url = \"{mlflow}\"\n\
             experiment_id = \"{experiment}\"\n"
        ),
    )?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let done = environment
        .python()
        .env("PYTHONPATH", root.join("bindings/python/python"))
        .arg(root.join("tests/backends/python_program.py"))
        .arg(&config)
        .output()?;
    ensure!(
        done.status.success(),
        "the Python program failed: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    let lines = String::from_utf8(done.stdout)?;
    let sent = lines.lines().map(serde_json::from_str::<Sent>);
    let sent: Vec<Sent> = sent.collect::<Result<_, _>>().context(lines.clone())?;
    let spans = sent.iter().flat_map(|sent| sent.spans.iter().cloned());
    let store = Store::holding(backends, &spans.collect())?;
    for (tracer, place) in PLACES {
        let of_tracer = || sent.iter().filter(|sent| sent.tracer == tracer);
        checks.python(of_tracer().count() == TRACES, || {
            format!("{tracer}: {} traces, not {TRACES}", of_tracer().count())
        });
        for sent in of_tracer() {
            let stored = store.trace(&sent.trace);
            let ids: BTreeSet<_> = stored.iter().map(|span| span.id.clone()).collect();
            let elsewhere = stored.iter().find(|span| span.place != place);
            let is_right = ids == sent.spans && ids.len() == SPANS && elsewhere.is_none();
            checks.python(is_right, || {
                format!(
                    "{tracer}: the trace {} has the spans {stored:?}",
                    sent.trace
                )
            });
            checks.python(stored.iter().any(is_answer), || {
                format!("{tracer}: no span shows the model and its tokens: {stored:?}")
            });
        }
    }
    Ok(())
}

/// Returns `true` for the span of the model, with its tokens as the backend counts them.
fn is_answer(span: &StoredSpan) -> bool {
    let usage = &span.usage;
    span.parent.is_some() && (usage.input, usage.output) == (Some(TOKENS.0), Some(TOKENS.1))
}
