//! The disturbances: one thread changes the directory, another the registries.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use spanmux::{Chain, Choice, Selector, selector_fn};

use super::service::{FAILING, Service};
use super::{FALLBACK, TRACERS};

/// The disturbances that were made.
#[derive(Debug, Default)]
pub(super) struct Disturbed {
    pub(super) files: u64,
    pub(super) registry: u64,
    /// Members of the zoo that were used, each once before any is repeated.
    pub(super) zoo: u64,
}

impl Disturbed {
    pub(super) fn and(mut self, other: Self) -> Self {
        self.files += other.files;
        self.registry += other.registry;
        self.zoo += other.zoo;
        self
    }
}

/// Changes the files in a different way each time.
pub(super) fn directory(service: &Service, over: &AtomicBool, every: Duration) -> Disturbed {
    let mut done = Disturbed::default();
    let guests = &service.guests;
    let mut turn = 0;
    while !over.load(Ordering::Relaxed) {
        let good = &guests.answers[turn / 8 % guests.answers.len()];
        let half = &good[..good.len() / 2];
        match turn % 8 {
            0 => {
                let zoo = &guests.zoo[done.zoo as usize % guests.zoo.len()];
                service.move_in("05-zoo.wasm", &zoo.1);
                done.zoo += 1;
            }
            1 => service.move_in("20-answers.wasm", good),
            2 => remove(service, "05-zoo.wasm"),
            // A torn write, followed by the rest.
            3 => write(service, "20-answers.wasm", half),
            4 => write(service, "20-answers.wasm", good),
            5 => service.move_in(
                "10-breaks.wasm",
                &guests.breaks[turn / 8 % guests.breaks.len()],
            ),
            6 => remove(service, "20-answers.wasm"),
            _ => service.move_in("20-answers.wasm", good),
        }
        done.files += 1;
        turn += 1;
        thread::sleep(every);
    }
    done
}

fn write(service: &Service, name: &str, bytes: &[u8]) {
    fs::write(service.file(name), bytes).expect("a file");
}

/// The file exists, unless the previous one was removed before a new one came.
fn remove(service: &Service, name: &str) {
    let _ = fs::remove_file(service.file(name));
}

/// Changes the registries in a different way each time.
pub(super) fn registry(service: &Service, over: &AtomicBool, every: Duration) -> Disturbed {
    let mut done = Disturbed::default();
    let (plain, traced) = (&service.plain, service.provider.registry());
    let mut turn = 0;
    while !over.load(Ordering::Relaxed) {
        let name = TRACERS[turn / 6 % TRACERS.len()];
        match turn % 6 {
            0 => {
                plain.unregister(name);
                // With its open traces, which end there.
                let _ = service.provider.remove(name, every);
            }
            1 => {
                let _ = plain.register(name, name.to_owned());
                let _ = traced.register(name, service.tracer(name));
            }
            2 => {
                let fallback = (turn / 6 % 2 == 0).then_some(FALLBACK);
                let _ = (plain.set_fallback(fallback), traced.set_fallback(fallback));
            }
            3 => {
                plain.unregister(FALLBACK);
                let _ = plain.register_default(FALLBACK, FALLBACK.to_owned());
            }
            // A chain from code. The directory replaces it at its next change.
            4 => {
                let chain = Chain::from(by_hand());
                plain.set_selectors(chain.clone());
                traced.set_selectors(chain);
            }
            _ => drop(service.provider.force_flush_with_timeout(every)),
        }
        done.registry += 1;
        turn += 1;
        thread::sleep(every);
    }
    done
}

fn by_hand() -> Arc<dyn Selector> {
    Arc::new(selector_fn("by-hand", |context, tracers| {
        if context.contains("do") {
            tracers.choose(FAILING)
        } else {
            Choice::Abstain
        }
    }))
}
