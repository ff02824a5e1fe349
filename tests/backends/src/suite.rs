//! The service with its dependencies, and its runs.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use opentelemetry::trace::TracerProvider as _;
use spanmux::otel::RoutingTracerProvider;
use tokio::runtime::Runtime;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::backends::Backends;
use crate::delivery::Deliveries;
use crate::gate::Gate;
use crate::ledger::Ledger;
use crate::llm_server::LlmServer;
use crate::runs::Batch;
use crate::selecting::SelectorSet;
use crate::service::Service;
use crate::spans::Spans;
use crate::tracers;
use crate::verdict::Done;

const LOOK_EVERY: Duration = Duration::from_millis(1);

pub struct Suite {
    pub sets: Vec<SelectorSet>,
    provider: RoutingTracerProvider,
    ledger: Ledger,
    service: Service,
    gate: Gate,
    _model: LlmServer,
    runtime: Runtime,
}

impl Suite {
    pub fn new(selectors: &Path, backends: &mut Backends) -> Result<Self> {
        let runtime = Runtime::new().context("no threads for the service")?;
        let provider = tracers::provider(backends)?;
        let ledger = Ledger::default();
        listen(&provider, &ledger)?;
        let gate = Gate::default();
        let model = runtime.block_on(LlmServer::start(gate.clone()))?;
        let spans = Spans::new(provider.tracer("shop"), ledger.clone());
        Ok(Self {
            sets: SelectorSet::load(selectors)?,
            service: Service::new(spans, model.base_url(), gate.clone()),
            gate,
            provider,
            ledger,
            _model: model,
            runtime,
        })
    }

    /// Answers the runs of a batch with its concurrency.
    pub fn play(&self, batch: Batch<'_>) -> Result<Vec<Done>> {
        self.play_with(batch, &AtomicUsize::new(0))
    }

    /// Plays a batch at full concurrency, with `other` in the middle of it: everything that ended
    /// before is exported, and no request is under way.
    pub fn play_around(
        &self,
        mut batch: Batch<'_>,
        other: impl FnOnce() -> Result<()> + Send,
    ) -> Result<Vec<Done>> {
        let (answered, runs) = (AtomicUsize::new(0), batch.runs.len());
        batch.concurrency = runs;
        self.gate.close();
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                while answered.load(Ordering::Relaxed) + self.gate.waiting() < runs {
                    thread::sleep(LOOK_EVERY);
                }
                let outcome = self.export().and_then(|()| other());
                self.gate.open();
                outcome
            });
            let done = self.play_with(batch, &answered);
            // Also after a failed run: no run may wait for the others forever.
            answered.store(runs, Ordering::Relaxed);
            let outcome = other.join();
            outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            done
        })
    }

    /// Exports the ended spans.
    fn export(&self) -> Result<()> {
        let report = self.provider.force_flush();
        ensure!(
            report.failed.is_empty(),
            "not exported: {:?}",
            report.failed
        );
        Ok(())
    }

    fn play_with(&self, batch: Batch<'_>, answered: &AtomicUsize) -> Result<Vec<Done>> {
        self.provider
            .registry()
            .set_selectors(batch.selectors.chain.clone());
        let answers = stream::iter(batch.runs).map(|run| {
            let service = self.service.clone();
            // A task of its own, so that it may move between threads.
            let answer = self.runtime.spawn(async move {
                let trace = service.answer(&run).await;
                trace.map(|trace| (run, trace))
            });
            async {
                let answer = answer.await?;
                answered.fetch_add(1, Ordering::Relaxed);
                answer
            }
        });
        let answers = answers
            .buffer_unordered(batch.concurrency)
            .try_collect::<Vec<_>>();
        let answers = self.runtime.block_on(answers)?;
        // Fails while a backend is down. The checks read the store.
        let _ = self.provider.force_flush();
        let done = answers.into_iter().map(|(run, trace)| Done {
            sent: self.ledger.spans_of(&trace),
            run,
            trace,
        });
        Ok(done.collect())
    }

    /// Returns the delivery counts of each tracer.
    pub fn delivered(&self) -> Deliveries {
        Deliveries::read(&self.provider)
    }

    /// Exports the remaining spans.
    pub fn end(self) {
        let _ = self.provider.shutdown();
    }
}

/// Routes the spans of libraries that use `tracing`.
fn listen(provider: &RoutingTracerProvider, ledger: &Ledger) -> Result<()> {
    let wanted = Targets::new()
        .with_target("rig", LevelFilter::INFO)
        .with_target(env!("CARGO_CRATE_NAME"), LevelFilter::INFO);
    let subscriber = tracing_subscriber::registry()
        .with(wanted)
        .with(ledger.clone())
        .with(provider.layer());
    tracing::subscriber::set_global_default(subscriber).context("somebody listens already")
}
