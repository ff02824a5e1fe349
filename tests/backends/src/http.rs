//! A client for the REST API of a backend.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;
use ureq::Agent;

/// A client for one backend.
#[derive(Clone)]
pub struct Rest {
    base: String,
    agent: Agent,
}

impl Rest {
    pub fn new(port: u16) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(60)))
            // The machine's proxy settings do not apply to loopback.
            .proxy(None);
        Self {
            base: format!("http://127.0.0.1:{port}"),
            agent: config.build().into(),
        }
    }

    /// Returns the address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Returns `true` if the path answers with success.
    pub fn is_ok(&self, path: &str) -> bool {
        self.agent.get(self.url(path)).call().is_ok()
    }

    pub fn get(&self, path: &str) -> Result<Value> {
        let url = self.url(path);
        let response = self.agent.get(&url).call();
        read(response).with_context(|| format!("GET {url}"))
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let url = self.url(path);
        let response = self.agent.post(&url).send_json(body);
        read(response).with_context(|| format!("POST {url}"))
    }

    /// Sends a body with a header and checks for success.
    pub fn send(&self, path: &str, header: (&str, &str), body: &Value) -> Result<()> {
        let url = self.url(path);
        let request = self.agent.post(&url).header(header.0, header.1);
        let response = request.send_json(body);
        response.map(drop).with_context(|| format!("POST {url}"))
    }
}

fn read(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value> {
    let mut body = response?.into_body();
    Ok(body.with_config().limit(256 << 20).read_json()?)
}
