//! Workflow runs and their steps.

use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, KeyValue, StringValue};
use serde_json::Value;

use super::ai::Ai;
use super::builder::AiSpanBuilder;
use super::keys;
use super::kind::{AiSpanKind, sealed};
use super::span::AiSpan;
use super::status::RunStatus;

/// A workflow run, with the span name `invoke_workflow NAME`.
#[derive(Debug)]
pub enum WorkflowRun {}

/// A workflow step. Its name should have a low cardinality.
#[derive(Debug)]
pub enum WorkflowStep {}

impl sealed::Kind for WorkflowRun {
    const STATUS: Option<&'static str> = Some("spanmux.workflow.status");
}

impl sealed::Kind for WorkflowStep {
    const STATUS: Option<&'static str> = Some("spanmux.workflow.step.status");
}

impl AiSpanKind for WorkflowRun {
    const OPERATION: &'static str = "invoke_workflow";
    const SPAN_KIND: SpanKind = SpanKind::Internal;
    const OPEN_INFERENCE: &'static str = "CHAIN";
}

impl AiSpanKind for WorkflowStep {
    const OPERATION: &'static str = "";
    const SPAN_KIND: SpanKind = SpanKind::Internal;
    const OPEN_INFERENCE: &'static str = "CHAIN";
}

impl WorkflowRun {
    pub(super) fn builder(ai: &Ai, parent: Context, name: String) -> AiSpanBuilder<Self> {
        let mut builder = AiSpanBuilder::new(ai, parent, name.clone());
        builder.attributes.say(keys::WORKFLOW_NAME, name.clone());
        builder.attributes.say(keys::WORKFLOW_AGENT_NAME, name);
        builder
    }
}

impl WorkflowStep {
    pub(super) fn builder(ai: &Ai, parent: Context, name: String) -> AiSpanBuilder<Self> {
        AiSpanBuilder::new(ai, parent, name)
    }
}

impl AiSpanBuilder<WorkflowRun> {
    /// Sets the id of the workflow.
    pub fn id(mut self, id: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::WORKFLOW_ID, id.into());
        self
    }

    /// Sets the input (content).
    pub fn input(self, input: impl Into<Value>) -> Self {
        self.with_any_input(input.into())
    }
}

impl AiSpanBuilder<WorkflowStep> {
    /// Sets the id of the step.
    pub fn id(mut self, id: impl Into<StringValue>) -> Self {
        self.attributes.say(keys::STEP_ID, id.into());
        self
    }

    /// Sets the input (content).
    pub fn input(self, input: impl Into<Value>) -> Self {
        self.with_any_input(input.into())
    }
}

impl AiSpan<WorkflowRun> {
    /// Records the output (content).
    pub fn output(&self, output: impl Into<Value>) {
        self.say_any_output(output.into());
    }

    /// Ends the span with the final status of the run.
    pub fn finish(self, status: RunStatus) {
        self.finish_with(status);
    }
}

impl AiSpan<WorkflowStep> {
    /// Records the output (content).
    pub fn output(&self, output: impl Into<Value>) {
        self.say_any_output(output.into());
    }

    /// Ends the span with the final status of the step.
    pub fn finish(self, status: RunStatus) {
        self.finish_with(status);
    }
}

impl<K: AiSpanKind> AiSpan<K> {
    fn finish_with(self, status: RunStatus) {
        self.say_outcome();
        if let Some(key) = K::STATUS {
            self.attribute(KeyValue::new(key, status.as_str()));
        }
        if status == RunStatus::Failed {
            self.fail_status(status.as_str());
        }
    }
}
