//! Phoenix: started, and read back over its REST API.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use crate::environment::Environment;
use crate::http::Rest;
use crate::plan::Usage;
use crate::process::{Processes, free_port, is_open};
use crate::server::Server;
use crate::stored::{StoredSpan, reasoning};

/// Number of spans per request.
const PAGE: usize = 1_000;

pub struct Phoenix {
    environment: Environment,
    server: Server,
    http: u16,
    grpc: u16,
    rest: Rest,
}

impl Phoenix {
    pub fn new(environment: &Environment, processes: &Processes) -> Result<Self> {
        let http = free_port()?;
        Ok(Self {
            environment: environment.clone(),
            server: Server::new("phoenix", environment, processes),
            http,
            grpc: free_port()?,
            rest: Rest::new(http),
        })
    }

    /// Starts the server on its previous store.
    pub fn start(&mut self) -> Result<()> {
        let home = self.environment.folder("phoenix")?;
        self.server.start(self.command(&home))
    }

    pub fn wait_until_ready(&mut self) -> Result<()> {
        let (rest, grpc) = (&self.rest, self.grpc);
        self.server
            .wait_until_ready(|| rest.is_ok("/healthz") && is_open(grpc))
    }

    pub fn stop(&mut self) -> Result<()> {
        self.server.stop()
    }

    fn command(&self, home: &Path) -> Command {
        let mut command = self.environment.python();
        command
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/serve_phoenix.py"))
            .env("PHOENIX_HOST", "127.0.0.1")
            .env("PHOENIX_PORT", self.http.to_string())
            .env("PHOENIX_GRPC_PORT", self.grpc.to_string())
            .env("PHOENIX_WORKING_DIR", home)
            .env("PHOENIX_TELEMETRY_ENABLED", "false")
            .env("PHOENIX_ALLOW_EXTERNAL_RESOURCES", "false");
        command
    }

    /// Returns the address for OTLP over gRPC.
    pub fn grpc_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc)
    }

    /// Returns its address.
    pub fn base(&self) -> String {
        self.rest.url("")
    }

    /// Returns every stored span of every project.
    pub fn stored(&self) -> Result<Vec<StoredSpan>> {
        let mut spans = Vec::new();
        for project in self.projects()? {
            self.spans_of(&project, &mut spans)?;
        }
        Ok(spans)
    }

    fn projects(&self) -> Result<Vec<String>> {
        let answer = self.rest.get("/v1/projects?limit=100")?;
        let projects = answer["data"].as_array().context("no list of projects")?;
        Ok(projects
            .iter()
            .map(|project| text(&project["name"]))
            .collect())
    }

    fn spans_of(&self, project: &str, spans: &mut Vec<StoredSpan>) -> Result<()> {
        let mut cursor = String::new();
        loop {
            let path = format!("/v1/projects/{project}/spans?limit={PAGE}{cursor}");
            let answer = self.rest.get(&path)?;
            let page = answer["data"].as_array().context("no list of spans")?;
            spans.extend(page.iter().map(|span| read(project, span)));
            match answer["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(()),
            }
        }
    }
}

fn read(project: &str, span: &Value) -> StoredSpan {
    let attributes = span["attributes"].as_object().cloned().unwrap_or_default();
    let model = ["llm.model_name", "embedding.model_name"]
        .iter()
        .find_map(|key| attributes.get(*key)?.as_str())
        .map(str::to_owned);
    StoredSpan {
        place: format!("phoenix/{project}"),
        trace: text(&span["context"]["trace_id"]),
        id: text(&span["context"]["span_id"]),
        parent: span["parent_id"].as_str().map(str::to_owned),
        kind: text(&span["span_kind"]),
        model,
        usage: usage(&attributes),
        attributes,
    }
}

/// Returns Phoenix's token counts. Reasoning tokens are kept as sent.
fn usage(attributes: &Map<String, Value>) -> Usage {
    let tokens = |key: &str| attributes.get(key)?.as_u64();
    Usage {
        input: tokens("llm.token_count.prompt"),
        output: tokens("llm.token_count.completion"),
        cached: tokens("llm.token_count.prompt_details.cache_read"),
        reasoning: reasoning(attributes),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
