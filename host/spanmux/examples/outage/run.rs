//! One outage.

use std::fmt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use spanmux::delivery::{DeliveryCounts, DiskBuffer};
use spanmux::exporters::{Exporter, OtlpExporter};
use spanmux::otel::{RoutingTracerProvider, TracerConfig};

use crate::server::{Outage, Server, Wire};

#[derive(Clone, Copy)]
pub(crate) struct Settings {
    /// Spans per second.
    pub(crate) rate: u64,
    /// The time for which the backend is down.
    pub(crate) down: Duration,
}

/// The time before the outage.
const BEFORE: Duration = Duration::from_secs(2);

/// The interval between spans that end together.
const TICK: Duration = Duration::from_millis(10);

/// The time of a shutdown.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// The time without any delivery after which the rest is lost.
const PATIENCE: Duration = Duration::from_secs(90);

#[derive(Default)]
pub(crate) struct Figures {
    ended: u64,
    buffered: u64,
    delivered: u64,
    twice: u64,
}

impl Figures {
    pub(crate) fn lost(&self) -> u64 {
        self.ended - self.delivered
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} | {} | {} | {} | {}",
            self.ended,
            self.buffered,
            self.delivered,
            self.twice,
            self.lost()
        )
    }
}

/// A process: a provider with one exporter.
struct Process {
    provider: RoutingTracerProvider,
    rate: u64,
}

impl Process {
    fn start(wire: Wire, origin: &str, directory: &Path, rate: u64) -> Self {
        let exporter = match wire {
            Wire::Http => OtlpExporter::http(origin),
            Wire::Grpc => OtlpExporter::grpc(origin),
        };
        // Large enough for ten minutes at 1,000 spans per second.
        let disk_buffer = DiskBuffer::new(directory).max_bytes(1 << 30);
        let exporter = Exporter::otlp(exporter).disk_buffer(disk_buffer);
        let provider = RoutingTracerProvider::builder()
            .service_name("shop")
            .tracer("backend", TracerConfig::new().exporter(exporter))
            .build()
            .expect("the directory is free");
        Self { provider, rate }
    }

    /// Ends spans at the rate, with numbers from `figures.ended` on.
    fn work(&self, time: Duration, figures: &mut Figures) {
        let tracer = self.provider.tracer("shop");
        let (start, first) = (Instant::now(), figures.ended);
        while start.elapsed() < time {
            let due = first + (start.elapsed().as_secs_f64() * self.rate as f64) as u64;
            for number in figures.ended..due {
                tracer.start(number.to_string()).end();
            }
            figures.ended = due.max(figures.ended);
            thread::sleep(TICK);
        }
        figures.buffered = figures.buffered.max(self.counts().buffered);
    }

    fn counts(&self) -> DeliveryCounts {
        let tracers = self.provider.delivery();
        tracers[0].exporters[0].1.clone()
    }

    fn end(self) {
        let report = self.provider.shutdown_with_timeout(SHUTDOWN);
        let counts = self.counts();
        if counts.lost() > 0 || counts.waiting > 0 {
            eprintln!("{counts:?}\n{report:?}");
        }
    }
}

pub(crate) fn run(outage: Outage, wire: Wire, settings: Settings) -> Figures {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut server = Server::start(wire);
    let start = |origin: &str| Process::start(wire, origin, folder.path(), settings.rate);
    let origin = server.origin();
    // The names of a running process cannot vanish, so this process never had the address.
    let (before, during) = match outage {
        Outage::DnsGone => (
            "http://backend.invalid:4318".to_owned(),
            "http://backend.invalid:4318",
        ),
        _ => (origin.clone(), &*origin),
    };
    let mut figures = Figures::default();

    let first = start(&before);
    first.work(BEFORE, &mut figures);
    server.set(Some(outage));
    first.work(settings.down / 2, &mut figures);
    first.end();
    let mut last = start(during);
    last.work(settings.down / 2, &mut figures);
    server.set(None);
    if outage == Outage::DnsGone {
        last.end();
        last = start(&origin);
    }
    last.work(BEFORE, &mut figures);
    wait(&server, figures.ended);
    last.end();
    (figures.delivered, figures.twice) = server.received();
    figures
}

/// Waits until all spans have arrived, or none arrive any more.
fn wait(server: &Server, ended: u64) {
    let (mut seen, mut since) = (0, Instant::now());
    while since.elapsed() < PATIENCE {
        let (delivered, _) = server.received();
        if delivered == ended {
            return;
        }
        if delivered > seen {
            (seen, since) = (delivered, Instant::now());
        }
        thread::sleep(TICK);
    }
}
