//! Tool calls at MCP servers.

use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, StringValue};
use serde_json::Value;

use super::ai::Ai;
use super::builder::{AiSpanBuilder, Side};
use super::keys;
use super::kind::{AiSpanKind, sealed};
use super::span::AiSpan;
use super::tool;

/// A tool call at an MCP server, seen from the client. The span name is `tools/call NAME`.
#[derive(Debug)]
pub enum McpToolCall {}

impl sealed::Kind for McpToolCall {
    const VERB: Option<&'static str> = Some(METHOD);
}

impl AiSpanKind for McpToolCall {
    const OPERATION: &'static str = "execute_tool";
    const SPAN_KIND: SpanKind = SpanKind::Client;
    const OPEN_INFERENCE: &'static str = "TOOL";
}

const METHOD: &str = "tools/call";

impl McpToolCall {
    pub(super) fn builder(ai: &Ai, parent: Context, tool: String) -> AiSpanBuilder<Self> {
        let mut builder = AiSpanBuilder::new(ai, parent, tool.clone());
        builder.attributes.say(keys::TOOL_NAME, tool);
        builder.attributes.say(keys::MCP_METHOD, METHOD);
        builder
    }
}

impl AiSpanBuilder<McpToolCall> {
    /// Sets the application's name for the server.
    pub fn server_name(mut self, name: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::MCP_SERVER, name.into());
        self
    }

    /// Sets the address and port of the server.
    pub fn server(mut self, address: impl Into<StringValue>, port: u16) -> Self {
        self.attributes.say(keys::SERVER_ADDRESS, address.into());
        self.attributes.say(keys::SERVER_PORT, i64::from(port));
        self
    }

    /// Sets the transport: `pipe` for standard input and output, `tcp` for HTTP.
    pub fn transport(mut self, transport: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::TRANSPORT, transport.into());
        self
    }

    /// Sets the id of the MCP session.
    pub fn mcp_session(mut self, id: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::MCP_SESSION, id.into());
        self
    }

    /// Sets the protocol version: `2025-06-18`.
    pub fn protocol_version(mut self, version: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::MCP_PROTOCOL, version.into());
        self
    }

    /// Sets the id of the JSON-RPC request.
    pub fn request_id(mut self, id: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::JSONRPC_ID, id.into());
        self
    }

    /// Sets the id that the model gave the call.
    pub fn call_id(mut self, id: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::TOOL_CALL_ID, id.into());
        self
    }

    /// Sets the arguments (content).
    pub fn arguments(self, arguments: impl Into<Value>) -> Self {
        let arguments = arguments.into();
        self.with_content(Side::Input, move |attributes| {
            tool::say_arguments(&arguments, attributes);
        })
    }
}

impl AiSpan<McpToolCall> {
    /// Records the result (content).
    pub fn result(&self, result: impl Into<Value>) {
        self.say_content(Side::Output, |attributes| {
            tool::say_result(&result.into(), attributes);
        });
    }

    /// Ends the span with a tool result that is marked as an error.
    pub fn fail_with_tool_error(self, message: &str) {
        self.fail_as("tool_error", message);
    }
}
