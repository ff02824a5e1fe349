//! The times of hits while a component of some ten megabytes, a language runtime, is loaded
//! repeatedly, compared with the times without loading. The phases alternate, and every core is
//! busy with hits.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use spanmux::{
    Origin, RuntimeContext, SelectorsDirectory, TracerRegistry, WatchSettings, WatchedDirectory,
};

use super::Bench;
use crate::engines::spanmux_side;
use crate::report::{Table, nanos};

/// The maximum time of one load.
const PATIENCE: Duration = Duration::from_secs(600);

pub fn run(bench: &mut Bench<'_>) -> Result<()> {
    let cores = thread::available_parallelism()?.get();
    let (turns, quiet) = bench.args.size((5, 4000), (3, 2000), (1, 50));
    let runtime = bench.args.extras.join("languages/javascript.wasm");
    let small = examples().join("20-tenant.wasm");
    let path = if bench.args.smoke { &small } else { &runtime };
    let Ok(file) = std::fs::read(path) else {
        let what = "Hits while a component is loaded: the selector in JavaScript is not built";
        bench.report.skip(what);
        return Ok(());
    };
    println!(
        "{cores} threads select cached decisions continuously. In alternating phases, {quiet} ms \
         pass without other work, and then a watched directory loads a file of {} bytes, a \
         selector in JavaScript, and replaces the chain.\n",
        file.len()
    );
    let service = Service::start(file)?;
    let mut phases = [Phase::default(), Phase::default()];
    for turn in 0..turns {
        phases[0].add(service.measure(cores, || {
            thread::sleep(Duration::from_millis(quiet));
            Ok(())
        })?);
        phases[1].add(service.measure(cores, || service.reload(turn as u32 + 1))?);
    }
    let mut table = Table::new(["hits", "quiet", "while loading", "times"]);
    for (what, share) in [
        ("p50", 0.5),
        ("p99", 0.99),
        ("p99.9", 0.999),
        ("p99.99", 0.9999),
    ] {
        let [quiet, loaded] = [phases[0].share(share), phases[1].share(share)];
        table.row([
            what.to_owned(),
            nanos(quiet),
            nanos(loaded),
            format!("{:.2}", loaded / quiet),
        ]);
    }
    let longest = [phases[0].longest, phases[1].longest];
    let times = format!("{:.2}", longest[1] / longest[0]);
    table.row([
        "the longest".to_owned(),
        nanos(longest[0]),
        nanos(longest[1]),
        times,
    ]);
    table.print();
    println!(
        "\n{} and {} hits; {turns} loads, each in {} at the median.",
        phases[0].count(),
        phases[1].count(),
        nanos(phases[1].median_time())
    );
    Ok(())
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../selectors")
}

/// A watched directory and a registry.
struct Service {
    folder: tempfile::TempDir,
    registry: Arc<TracerRegistry<()>>,
    watched: WatchedDirectory,
    file: Vec<u8>,
}

impl Service {
    fn start(file: Vec<u8>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let live = folder.path().join("live");
        std::fs::create_dir(&live)?;
        // The selector that decides and never changes. The large one comes after it.
        let example = examples().join("50-environment.wasm");
        std::fs::copy(example, live.join("10-environment.wasm"))?;
        let registry = Arc::new(TracerRegistry::new());
        registry.register("langfuse", ())?;
        let taken = registry.clone();
        let settings = WatchSettings::default().load_timeout(PATIENCE);
        let watched = SelectorsDirectory::new(live, spanmux_side::host()?)
            .watch_with(settings, move |selectors| taken.set_selectors(selectors))?;
        Ok(Self {
            folder,
            registry,
            watched,
            file,
        })
    }

    /// Replaces the large file with a new version and waits until it is active.
    fn reload(&self, version: u32) -> Result<()> {
        let loads = self.watched.status().loads;
        let mut file = self.file.clone();
        file.extend([0, 6, 1, b'v']);
        file.extend(version.to_le_bytes());
        let aside = self.folder.path().join("aside");
        std::fs::write(&aside, file)?;
        std::fs::rename(aside, self.folder.path().join("live/20-large.wasm"))?;
        self.watched
            .wait_until(PATIENCE, |status| status.loads > loads)
            .with_context(|| format!("it is not loaded: {:?}", self.watched.status()))?;
        Ok(())
    }

    /// Measures hits on every core while `meanwhile` runs.
    fn measure(&self, cores: usize, meanwhile: impl FnOnce() -> Result<()>) -> Result<Phase> {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let hitting: Vec<_> = (0..cores)
                .map(|_| scope.spawn(|| self.hit(&over)))
                .collect();
            let begun = Instant::now();
            let done = meanwhile();
            let took = begun.elapsed();
            over.store(true, Ordering::Relaxed);
            let mut phase = Phase::default();
            for thread in hitting {
                let hits = thread
                    .join()
                    .map_err(|_| anyhow::anyhow!("a thread panicked"))?;
                phase.add(hits?);
            }
            phase.times.push(took.as_nanos() as f64);
            done.map(|()| phase)
        })
    }

    fn hit(&self, over: &AtomicBool) -> Result<Phase> {
        let context = RuntimeContext::builder()
            .set("environment", "production")
            .build();
        self.registry.select(&context.view());
        let mut phase = Phase::default();
        while !over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            let selection = black_box(self.registry.select(black_box(&context.view())));
            phase.see(begun.elapsed());
            ensure!(
                selection.tracer_name() == Some("langfuse"),
                "{:?}",
                selection.reason().cause()
            );
            ensure!(selection.origin() == Origin::Cached, "it was no hit");
        }
        Ok(phase)
    }
}

/// A histogram of hit times with steps of one sixteenth.
struct Phase {
    steps: Vec<u64>,
    longest: f64,
    times: Vec<f64>,
}

impl Default for Phase {
    fn default() -> Self {
        Self {
            steps: vec![0; 64 * 16],
            longest: 0.0,
            times: Vec::new(),
        }
    }
}

impl Phase {
    fn see(&mut self, took: Duration) {
        let nanos = took.as_nanos() as u64;
        self.longest = self.longest.max(nanos as f64);
        let nanos = nanos.max(16);
        let power = nanos.ilog2() as usize;
        self.steps[power * 16 + (nanos >> (power - 4)) as usize % 16] += 1;
    }

    fn add(&mut self, other: Self) {
        for (mine, others) in self.steps.iter_mut().zip(other.steps) {
            *mine += others;
        }
        self.longest = self.longest.max(other.longest);
        self.times.extend(other.times);
    }

    fn count(&self) -> u64 {
        self.steps.iter().sum()
    }

    fn median_time(&self) -> f64 {
        crate::measure::median(&self.times)
    }

    /// The upper end of the step that contains this share of all hits.
    fn share(&self, share: f64) -> f64 {
        let mut left = (self.count() as f64 * share) as u64;
        for (step, count) in self.steps.iter().enumerate() {
            if left < *count {
                let (power, part) = (step / 16, step % 16);
                return ((17 + part as u64) << (power - 4)) as f64;
            }
            left -= count;
        }
        self.longest
    }
}
