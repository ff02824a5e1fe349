//! MLflow: started, and read back over its REST API.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::environment::Environment;
use crate::http::Rest;
use crate::otlp_json::attributes;
use crate::plan::{CHAT_MODEL, Usage};
use crate::process::{Processes, free_port};
use crate::server::Server;
use crate::stored::{StoredSpan, reasoning};

/// The header that selects the experiment of spans.
const EXPERIMENT_HEADER: &str = "x-mlflow-experiment-id";
/// The experiment that always exists, and that the checks do not read.
const DEFAULT_EXPERIMENT: &str = "0";
/// Number of traces per request.
const PAGE: usize = 100;

pub struct Mlflow {
    environment: Environment,
    server: Server,
    port: u16,
    rest: Rest,
    /// Name and id of each.
    experiments: Vec<(String, String)>,
}

impl Mlflow {
    pub fn new(environment: &Environment, processes: &Processes) -> Result<Self> {
        let port = free_port()?;
        Ok(Self {
            environment: environment.clone(),
            server: Server::new("mlflow", environment, processes),
            port,
            rest: Rest::new(port),
            experiments: Vec::new(),
        })
    }

    /// Starts the server on its previous store.
    pub fn start(&mut self) -> Result<()> {
        let command = self.command()?;
        self.server.start(command)
    }

    pub fn wait_until_ready(&mut self) -> Result<()> {
        let rest = &self.rest;
        self.server.wait_until_ready(|| rest.is_ok("/health"))?;
        self.warm_up().context("MLflow does not take spans")
    }

    pub fn stop(&mut self) -> Result<()> {
        self.server.stop()
    }

    /// Sends a span that no check reads. The first one loads modules for longer than an exporter
    /// waits, which is not under test.
    fn warm_up(&self) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
        let span = json!({
            "traceId": format!("{now:032x}"),
            "spanId": "0000000000000001",
            "name": "warm-up",
            "startTimeUnixNano": "1",
            "endTimeUnixNano": "2",
            "attributes": [
                {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                {"key": "gen_ai.request.model", "value": {"stringValue": CHAT_MODEL.request}},
                {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "1"}},
            ],
        });
        let request = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]});
        let header = (EXPERIMENT_HEADER, DEFAULT_EXPERIMENT);
        self.rest.send("/v1/traces", header, &request)
    }

    fn command(&self) -> Result<Command> {
        let home = self.environment.folder("mlflow")?;
        let store = format!("sqlite:///{}", home.join("mlflow.db").display());
        let mut command = self.environment.python();
        command
            .args([
                "-m",
                "mlflow",
                "server",
                "--host",
                "127.0.0.1",
                "--workers",
                "1",
            ])
            .args(["--port", &self.port.to_string()])
            .args(["--backend-store-uri", &store, "--artifacts-destination"])
            .arg(home.join("artifacts"))
            // With it, nine processes run instead of two.
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .env("MLFLOW_DISABLE_TELEMETRY", "true");
        Ok(command)
    }

    /// Creates an experiment and returns its id.
    pub fn make_experiment(&mut self, name: &str) -> Result<String> {
        let answer = self.rest.post(
            "/api/2.0/mlflow/experiments/create",
            &json!({ "name": name }),
        )?;
        let id = answer["experiment_id"].as_str();
        let id = id.context("MLflow made an experiment without an id")?;
        self.experiments.push((name.to_owned(), id.to_owned()));
        Ok(id.to_owned())
    }

    /// Returns its address.
    pub fn base(&self) -> String {
        self.rest.url("")
    }

    /// Returns every stored span of every experiment.
    pub fn stored(&self) -> Result<Vec<StoredSpan>> {
        let mut spans = Vec::new();
        for (name, id) in &self.experiments {
            for trace in self.traces_of(id)? {
                self.spans_of(name, &trace, &mut spans)?;
            }
        }
        Ok(spans)
    }

    fn traces_of(&self, experiment: &str) -> Result<Vec<String>> {
        let mut traces = Vec::new();
        let mut token = Value::Null;
        loop {
            let answer = self.rest.post(
                "/api/3.0/mlflow/traces/search",
                &json!({
                    "locations": [{
                        "type": "MLFLOW_EXPERIMENT",
                        "mlflow_experiment": {"experiment_id": experiment},
                    }],
                    "max_results": PAGE,
                    "page_token": token,
                }),
            )?;
            let page = answer["traces"].as_array().map_or(&[][..], Vec::as_slice);
            traces.extend(
                page.iter()
                    .filter_map(|t| t["trace_id"].as_str())
                    .map(str::to_owned),
            );
            match answer["next_page_token"].as_str() {
                Some(next) if !next.is_empty() => token = json!(next),
                _ => return Ok(traces),
            }
        }
    }

    fn spans_of(&self, experiment: &str, trace: &str, spans: &mut Vec<StoredSpan>) -> Result<()> {
        let path = format!("/api/3.0/mlflow/traces/get?trace_id={trace}");
        let answer = self.rest.get(&path)?;
        let list = answer["trace"]["spans"].as_array();
        for span in list.with_context(|| format!("MLflow's trace {trace} has no list of spans"))? {
            spans.push(read(experiment, span)?);
        }
        Ok(())
    }
}

fn read(experiment: &str, span: &Value) -> Result<StoredSpan> {
    let attributes = attributes(span);
    let word = |key: &str| {
        attributes
            .get(key)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    Ok(StoredSpan {
        place: format!("mlflow/{experiment}"),
        trace: hex(&span["trace_id"])?,
        id: hex(&span["span_id"])?,
        parent: match &span["parent_span_id"] {
            Value::Null => None,
            parent => Some(hex(parent)?),
        },
        kind: word("mlflow.spanType").unwrap_or("-".to_owned()),
        model: word("mlflow.llm.model"),
        usage: usage(&attributes),
        attributes,
    })
}

/// Returns MLflow's token counts. Reasoning tokens are kept as sent.
fn usage(attributes: &Map<String, Value>) -> Usage {
    let counted = attributes.get("mlflow.chat.tokenUsage");
    let tokens = |key: &str| counted?.get(key)?.as_u64();
    Usage {
        input: tokens("input_tokens"),
        output: tokens("output_tokens"),
        cached: tokens("cache_read_input_tokens"),
        reasoning: reasoning(attributes),
    }
}

/// Converts an id from base64.
fn hex(id: &Value) -> Result<String> {
    let text = id
        .as_str()
        .context("MLflow returned a span without its ids")?;
    let bytes = STANDARD
        .decode(text)
        .with_context(|| format!("{text} is no id of MLflow's"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
