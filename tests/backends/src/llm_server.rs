//! A model server on loopback with OpenAI's API: chat completions, complete and streamed, with tool
//! calls and usage, and embeddings. Its answers and counts are functions of the request.

mod reply;

pub use reply::RUN_PREFIX;

use std::convert::Infallible;

use anyhow::{Context as _, Result};
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use futures::stream;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::gate::Gate;
use reply::Reply;

/// The server. It stops when it is dropped.
pub struct LlmServer {
    base_url: String,
    task: JoinHandle<()>,
}

impl LlmServer {
    /// Starts the server. Answers to the second turn of a conversation pass the gate.
    pub async fn start(gate: Gate) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.context("the model has no port on loopback")?;
        let base_url = format!("http://{}/v1", listener.local_addr()?);
        let app = Router::new()
            .route("/v1/chat/completions", post(chat))
            .route("/v1/embeddings", post(embeddings))
            .with_state(gate);
        let task = tokio::spawn(async move {
            // Stops with the suite. A client without an answer reports it.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { base_url, task })
    }

    /// Returns the address that replaces OpenAI's own.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }
}

impl Drop for LlmServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn chat(State(gate): State<Gate>, Json(request): Json<Value>) -> Response {
    let reply = Reply::to(&request);
    if reply.turn > 0 {
        gate.pass().await;
    }
    if request["stream"] != true {
        return Json(reply.whole()).into_response();
    }
    let events = reply.pieces().into_iter().map(|piece| piece.to_string());
    let events = events.chain(["[DONE]".to_owned()]);
    let events = events.map(|data| Ok::<_, Infallible>(Event::default().data(data)));
    Sse::new(stream::iter(events)).into_response()
}

async fn embeddings(Json(request): Json<Value>) -> Json<Value> {
    Json(reply::embeddings(&request))
}
