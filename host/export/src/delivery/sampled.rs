//! The part of a pipeline that receives a share of the traces.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use opentelemetry::trace::{SpanContext, SpanKind, TraceId};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, ShouldSample as _, SpanData};

use super::DeliveryCounts;
use super::pipeline::Pipeline;

/// Passes the spans of a share of the traces on. Only the trace id decides, so a trace is never torn.
#[derive(Debug)]
pub(crate) struct Sampled {
    sampler: Sampler,
    pipeline: Arc<dyn Pipeline>,
    sampled_out: AtomicU64,
}

impl Sampled {
    /// Restricts a pipeline to this share of the traces, from 0 to 1.
    pub(crate) fn new(pipeline: Arc<dyn Pipeline>, share: f64) -> Self {
        Self {
            sampler: Sampler::TraceIdRatioBased(share),
            pipeline,
            sampled_out: AtomicU64::new(0),
        }
    }

    /// Decides as the sampler of a tracer does.
    fn keeps(&self, trace: TraceId) -> bool {
        let kind = SpanKind::Internal;
        let result = self.sampler.should_sample(None, trace, "", &kind, &[], &[]);
        result.decision == SamplingDecision::RecordAndSample
    }
}

impl Pipeline for Sampled {
    fn start(&self, span: &SpanContext) {
        if self.keeps(span.trace_id()) {
            self.pipeline.start(span);
        }
    }

    fn wants_start(&self, is_local_root: bool) -> bool {
        self.pipeline.wants_start(is_local_root)
    }

    fn started(&self, span: &SpanData, is_local_root: bool) {
        if self.keeps(span.span_context.trace_id()) {
            self.pipeline.started(span, is_local_root);
        }
    }

    fn end(&self, span: SpanData) {
        if self.keeps(span.span_context.trace_id()) {
            self.pipeline.end(span);
        } else if span.span_context.is_sampled() {
            self.sampled_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {
        self.pipeline.flush();
    }

    fn wait_for_flush(&self, deadline: Instant) -> bool {
        self.pipeline.wait_for_flush(deadline)
    }

    fn close(&self, deadline: Instant) {
        self.pipeline.close(deadline);
    }

    fn wait_for_close(&self, deadline: Instant) -> bool {
        self.pipeline.wait_for_close(deadline)
    }

    fn counts(&self) -> DeliveryCounts {
        DeliveryCounts {
            sampled_out: self.sampled_out.load(Ordering::Relaxed),
            ..self.pipeline.counts()
        }
    }

    fn take_error(&self) -> Option<String> {
        self.pipeline.take_error()
    }

    fn is_over(&self) -> bool {
        self.pipeline.is_over()
    }
}
