//! Measures the spans that are lost over an outage of a backend, a shutdown and a restart.
//!
//! Real servers on the loopback interface receive spans over HTTP and gRPC. Halfway through
//! the outage, the provider is shut down and built again. Afterwards the backend returns, and
//! all spans must arrive. Each kind of outage runs at the same time. Fails if a span is lost.
//!
//! ```sh
//! cargo run --release -p spanmux --no-default-features --features grpc --example outage -- \
//!     --rate 1000 --seconds 600
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]
#![allow(clippy::print_stderr, clippy::disallowed_methods)]

mod run;
mod server;

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use run::{Figures, Settings};
use server::{Outage, Wire};

fn main() -> ExitCode {
    let settings = match settings(std::env::args().skip(1)) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}\nusage: outage [--rate SPANS_PER_SECOND] [--seconds SECONDS]");
            return ExitCode::from(2);
        }
    };
    let cases = Outage::ALL
        .into_iter()
        .flat_map(|outage| [Wire::Http, Wire::Grpc].map(|wire| (outage, wire)));
    let running: Vec<_> = cases
        .map(|(outage, wire)| {
            let case = thread::spawn(move || run::run(outage, wire, settings));
            (outage, wire, case)
        })
        .collect();
    println!(
        "{} spans/s, {} s down, shutdown and restart in the middle\n",
        settings.rate,
        settings.down.as_secs()
    );
    println!("| backend | protocol | ended | on disk at most | delivered | twice | lost |");
    println!("|---|---|--:|--:|--:|--:|--:|");
    let mut is_complete = true;
    for (outage, wire, case) in running {
        let figures: Figures = case.join().expect("the case does not panic");
        println!("| {outage} | {wire} | {figures} |");
        is_complete &= figures.lost() == 0;
    }
    ExitCode::from(u8::from(!is_complete))
}

fn settings(mut args: impl Iterator<Item = String>) -> Result<Settings, String> {
    let mut settings = Settings {
        rate: 200,
        down: Duration::from_secs(16),
    };
    while let Some(name) = args.next() {
        let value = args.next().and_then(|value| value.parse().ok());
        let value: u64 = value.ok_or_else(|| format!("{name} needs a number"))?;
        match name.as_str() {
            "--rate" => settings.rate = value.max(1),
            "--seconds" => settings.down = Duration::from_secs(value),
            _ => return Err(format!("unknown option {name}")),
        }
    }
    Ok(settings)
}
