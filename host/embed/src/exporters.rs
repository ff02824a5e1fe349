//! The exporters of a configuration file, for the spans of another SDK of the process.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanContext;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData};
use spanmux_config::{Config, ContextSummary};
use spanmux_export::delivery::DeliveryCounts;
use spanmux_otel::{OtelTracer, RoutingTracerProvider};

use super::PolicyError;

/// The tracers of a configuration file with their exporters.
///
/// A binding routes the spans of its own SDK, and hands each span to the tracer of its trace when it
/// ends. Redaction, queue, disk buffer and delivery are those of the Rust library.
pub struct Exporters {
    opened: Mutex<Opened>,
    settings: Settings,
    tracers: Vec<ExportingTracer>,
    default: String,
    fallback: String,
    context: ContextSummary,
}

/// A tracer of a configuration file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExportingTracer {
    /// The name of the tracer.
    pub name: String,
    /// `true` if the program provides the tracer, which has no exporters here.
    pub is_provided: bool,
    /// The share of the traces that are recorded, from 0 to 1.
    pub share: f64,
    /// `true` if the start of each span has to be [reported](Exporters::started).
    pub wants_starts: bool,
}

/// Everything that is needed to open the exporters again.
struct Settings {
    path: PathBuf,
    resource: Vec<KeyValue>,
    provided: Vec<String>,
}

/// The open tracers by name, in order.
type OpenTracers = Arc<[(String, Arc<OtelTracer>)]>;

/// The tracers of one process. A fork copies the value, but not its threads.
struct Opened {
    process: u32,
    tracers: OpenTracers,
}

impl Exporters {
    /// Opens the tracers of a configuration file. `resource` has the attributes of the process,
    /// over which those of the file take precedence. `provided` names the tracers that the program
    /// provides.
    ///
    /// # Errors
    /// Returns [`PolicyError`] if the file has mistakes, all of which are listed, or an exporter
    /// cannot be created.
    ///
    /// # Cost
    /// Starts the threads of the exporters.
    pub fn open(
        path: impl AsRef<Path>,
        resource: Vec<KeyValue>,
        provided: Vec<String>,
    ) -> Result<Self, PolicyError> {
        let settings = Settings {
            // The working directory may change before a fork.
            path: std::path::absolute(&path).unwrap_or_else(|_| path.as_ref().to_owned()),
            resource,
            provided,
        };
        let config = settings.config()?;
        let (default, fallback) = (config.default_tracer(), config.fallback_tracer());
        let (default, fallback) = (default.map(str::to_owned), fallback.map(str::to_owned));
        let summaries = config.tracers();
        let is_missing = |name: &String| !settings.provided.contains(name);
        let left = summaries.iter().filter(|summary| summary.is_provided());
        if let Some(summary) = left.into_iter().find(|summary| is_missing(&summary.name)) {
            return Err(PolicyError::NotProvided {
                path: settings.path,
                tracer: summary.name.clone(),
            });
        }
        let context = config.context();
        let opened = settings.open(config)?;
        let of = |(name, _): &(String, Arc<OtelTracer>)| {
            let summary = summaries.iter().find(|summary| summary.name == *name);
            let exporters = summary.map(|summary| &summary.exporters[..]);
            let exporters = exporters.unwrap_or_default();
            ExportingTracer {
                name: name.clone(),
                is_provided: exporters.is_empty(),
                share: summary.and_then(|summary| summary.share).unwrap_or(1.0),
                wants_starts: exporters.iter().any(|exporter| exporter.kind == "console"),
            }
        };
        let tracers: Vec<_> = opened.tracers.iter().map(of).collect();
        let first = tracers.first().map(|tracer| tracer.name.clone());
        let default = default.or(first).unwrap_or_default();
        Ok(Self {
            fallback: fallback.unwrap_or_else(|| default.clone()),
            default,
            tracers,
            context,
            settings,
            opened: Mutex::new(opened),
        })
    }

    /// Returns the tracers in order.
    pub fn tracers(&self) -> &[ExportingTracer] {
        &self.tracers
    }

    /// Returns the name of the default tracer.
    pub fn default_tracer(&self) -> &str {
        &self.default
    }

    /// Returns the name of the tracer that receives failed decisions.
    pub fn fallback(&self) -> &str {
        &self.fallback
    }

    /// Returns the context propagation that the file sets.
    pub fn context(&self) -> &ContextSummary {
        &self.context
    }

    /// Records that a sampled span of a tracer starts.
    ///
    /// # Errors
    /// See [`ended`](Self::ended).
    pub fn started(&self, tracer: &str, span: &SpanContext) -> Result<(), PolicyError> {
        if let Some(tracer) = self.tracer(tracer)? {
            tracer.foreign_span_started(span);
        }
        Ok(())
    }

    /// Hands a span that has ended to the exporters of a tracer. Never waits for a backend.
    ///
    /// # Errors
    /// Returns [`PolicyError`] in the child of a fork if the exporters cannot be opened there, for
    /// example because the parent uses the disk buffer. The span is lost.
    pub fn ended(&self, tracer: &str, span: SpanData) -> Result<(), PolicyError> {
        if let Some(tracer) = self.tracer(tracer)? {
            tracer.foreign_span_ended(span);
        }
        Ok(())
    }

    /// Exports the spans of a tracer that have ended, and waits for it.
    ///
    /// # Errors
    /// Returns the reason if spans were lost or the time passed first.
    pub fn flush(&self, tracer: &str, time: Duration) -> Result<(), String> {
        self.of_this_process(tracer, |tracer| tracer.force_flush_with_timeout(time))
    }

    /// Exports the spans of a tracer that have ended, and shuts it down.
    ///
    /// # Errors
    /// Returns the reason if spans were lost or the time passed first.
    pub fn shut_down(&self, tracer: &str, time: Duration) -> Result<(), String> {
        self.of_this_process(tracer, |tracer| tracer.shutdown_with_timeout(time))
    }

    /// Returns the delivery counts of this process: of each tracer, each exporter.
    pub fn delivery(&self) -> Vec<(String, Vec<(String, DeliveryCounts)>)> {
        let tracers = self.current().unwrap_or_default();
        let counts = tracers
            .iter()
            .map(|(name, tracer)| (name.clone(), tracer.delivery()));
        counts.collect()
    }

    fn of_this_process<E: fmt::Display>(
        &self,
        tracer: &str,
        work: impl FnOnce(&OtelTracer) -> Result<(), E>,
    ) -> Result<(), String> {
        // Nothing has ended in a process that has not opened its exporters yet.
        let tracers = self.current().unwrap_or_default();
        match find(&tracers, tracer) {
            Some(tracer) => work(&tracer).map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }

    /// Returns the tracers if this process has opened them.
    fn current(&self) -> Option<OpenTracers> {
        let opened = self.lock();
        (opened.process == std::process::id()).then(|| opened.tracers.clone())
    }

    fn tracer(&self, name: &str) -> Result<Option<Arc<OtelTracer>>, PolicyError> {
        let mut opened = self.lock();
        if opened.process != std::process::id() {
            let fresh = self.settings.open(self.settings.config()?)?;
            // Its threads and the owners of its locks are in the parent, so a drop could wait
            // forever.
            std::mem::forget(std::mem::replace(&mut *opened, fresh));
        }
        Ok(find(&opened.tracers, name))
    }

    fn lock(&self) -> MutexGuard<'_, Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(tracers: &[(String, Arc<OtelTracer>)], name: &str) -> Option<Arc<OtelTracer>> {
    let mut tracers = tracers.iter();
    let found = tracers.find(|(known, _)| known == name);
    found.map(|(_, tracer)| tracer.clone())
}

impl Settings {
    fn config(&self) -> Result<Config, PolicyError> {
        Config::from_file(&self.path).map_err(PolicyError::Config)
    }

    fn open(&self, config: Config) -> Result<Opened, PolicyError> {
        let mut builder = config.builder().resource(self.resource.clone());
        for name in &self.provided {
            // Takes the place; the spans of the tracer go to the program.
            let nothing = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff);
            builder = builder.tracer(name.clone(), nothing);
        }
        let provider = builder.build_tracers().map_err(PolicyError::Selectors)?;
        Ok(Opened {
            process: std::process::id(),
            tracers: tracers(&provider),
        })
    }
}

fn tracers(provider: &RoutingTracerProvider) -> OpenTracers {
    provider.registry().list().into()
}

impl fmt::Debug for Exporters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporters")
            .field("path", &self.settings.path)
            .field("tracers", &self.tracers)
            .finish_non_exhaustive()
    }
}
