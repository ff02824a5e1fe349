//! Counts what an exporter delivered and what was dropped, span by span: what the
//! SDK reports of lost spans is not to be trusted.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// The ids of the spans that one tracer's exporter was handed, in lower-case hex.
#[derive(Clone, Debug, Default)]
pub struct Counts(Arc<Mutex<Answers>>);

#[derive(Debug, Default)]
struct Answers {
    delivered: BTreeSet<String>,
    dropped: BTreeSet<String>,
}

impl Counts {
    /// What the backend took.
    pub fn delivered(&self) -> BTreeSet<String> {
        self.answers().delivered.clone()
    }

    /// What it did not take.
    pub fn dropped(&self) -> BTreeSet<String> {
        self.answers().dropped.clone()
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An exporter whose answers are counted.
#[derive(Debug)]
pub struct Counted<E> {
    pub exporter: E,
    pub counts: Counts,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let ids = batch
            .iter()
            .map(|span| span.span_context.span_id().to_string());
        let ids: Vec<_> = ids.collect();
        let result = self.exporter.export(batch).await;
        let mut answers = self.counts.answers();
        match result.is_ok() {
            true => answers.delivered.extend(ids),
            false => answers.dropped.extend(ids),
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
