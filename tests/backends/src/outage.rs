//! A backend that is stopped and restarted during runs.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};

use crate::backends::{Backends, Name};
use crate::delivery::{Deliveries, Delivery};
use crate::runs;
use crate::store::Store;
use crate::suite::Suite;
use crate::tracers::{self, TRACERS, Way};
use crate::verdict::Done;

/// Number of batches while the backend is down, after the batch in which it stops, and number of
/// batches after its return.
const AWAY: usize = 2;
const BACK: usize = 2;

/// The result of an outage.
pub struct Outage {
    pub away: Name,
    pub losses: Vec<Loss>,
    /// Spans that were stored in the wrong place.
    pub strayed: usize,
}

impl Outage {
    /// Returns `true` if a tracer sends to the stopped backend and has no disk buffer.
    pub fn may_lose(&self, tracer: &str) -> bool {
        match tracers::way(tracer) {
            Some(Way::PhoenixHttp | Way::PhoenixGrpc) => self.away == Name::Phoenix,
            Some(Way::Mlflow) => self.away == Name::Mlflow,
            _ => false,
        }
    }
}

/// The losses of one tracer, measured at both ends.
pub struct Loss {
    pub tracer: &'static str,
    /// The spans that were started.
    pub sent: usize,
    /// The spans that are in the store, and those that are not.
    pub stored: usize,
    pub missing: usize,
    /// Spanmux's counts.
    pub counted: Delivery,
}

impl Loss {
    /// Returns `true` if the counts match the store.
    ///
    /// A batch without an answer in time counts as lost, although the backend may have stored it:
    /// a server that starts accepts the connection and works on the request much later. Those
    /// spans alone may be in the store.
    pub fn agrees(&self) -> bool {
        let [sent, stored] = [self.sent, self.stored].map(|spans| spans as u64);
        let Delivery {
            ended, delivered, ..
        } = self.counted;
        sent == ended
            && ended == delivered + self.counted.lost()
            && (delivered..=delivered + self.counted.unanswered()).contains(&stored)
    }
}

/// Plays runs while a backend stops, is down, and returns.
pub fn run(suite: &Suite, backends: &mut Backends, away: Name, first: usize) -> Result<Outage> {
    let before = suite.delivered();
    let mut batches = runs::batches(&suite.sets, u32::try_from(first)?)?.into_iter();
    let mut next = || batches.next().context("there are too few batches");
    let mut done = suite.play(next()?)?;
    done.extend(suite.play_around(next()?, || backends.stop(away))?);
    for _ in 0..AWAY {
        done.extend(suite.play(next()?)?);
    }
    backends.start_again(away)?;
    for batch in batches.take(BACK) {
        done.extend(suite.play(batch)?);
    }
    // The disk buffer is delivered gradually.
    let losses_in = |store: &Store| losses(&done, store, &suite.delivered().since(&before));
    let store = Store::when(backends, |store| losses_in(store).iter().all(Loss::agrees))?;
    Ok(Outage {
        away,
        losses: losses_in(&store),
        strayed: strayed(&done, &store),
    })
}

fn strayed(done: &[Done], store: &Store) -> usize {
    let strayed = |done: &Done| {
        let place = done.place();
        let found = store.trace(&done.trace).iter();
        found
            .filter(|span| Some(&span.place) != place.as_ref())
            .count()
    };
    done.iter().map(strayed).sum()
}

/// Returns the losses of each tracer that has a backend.
pub fn losses(done: &[Done], store: &Store, counted: &Deliveries) -> Vec<Loss> {
    let mut sent: BTreeMap<&str, BTreeSet<&String>> = BTreeMap::new();
    for done in done {
        let spans = sent.entry(&done.run.named.tracer).or_default();
        spans.extend(&done.sent);
    }
    let placed = TRACERS.iter().filter(|(_, way)| *way != Way::Nowhere);
    let loss = placed.map(|(tracer, _)| {
        let sent = sent.remove(tracer).unwrap_or_default();
        let stored = sent.iter().filter(|id| store.ids().contains(**id)).count();
        Loss {
            tracer,
            sent: sent.len(),
            stored,
            missing: sent.len() - stored,
            counted: counted.of(tracer),
        }
    });
    loss.collect()
}
