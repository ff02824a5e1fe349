//! A model that answers on loopback as OpenAI's API does: chat completions, in one
//! piece and streamed, with tool calls and usage, and embeddings. What it says and
//! counts follows from the request alone.

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

/// The server; it ends when it is dropped.
pub struct LlmServer {
    base_url: String,
    task: JoinHandle<()>,
}

impl LlmServer {
    /// The answers to the second turn of a conversation go through the gate.
    pub async fn start(gate: Gate) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.context("the model has no port on loopback")?;
        let base_url = format!("http://{}/v1", listener.local_addr()?);
        let app = Router::new()
            .route("/v1/chat/completions", post(chat))
            .route("/v1/embeddings", post(embeddings))
            .with_state(gate);
        let task = tokio::spawn(async move {
            // Ends with the suite; a client that gets no answer says so.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { base_url, task })
    }

    /// What a client is given in place of OpenAI's own address.
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
