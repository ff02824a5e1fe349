//! A backend that is stopped and started again while runs go on.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};

use crate::backends::{Backends, Name};
use crate::counted::Counts;
use crate::runs;
use crate::store::Store;
use crate::suite::Suite;
use crate::tracers::{TRACERS, Way};
use crate::verdict::Done;

/// How many batches are played while the backend is away, after the one in which
/// it goes.
const AWAY: usize = 2;

/// What came of an outage.
pub struct Outage {
    pub away: Name,
    pub losses: Vec<Loss>,
    /// Spans that were stored elsewhere than in their tracer's place.
    pub strayed: usize,
}

/// What one tracer lost over an outage, counted twice: by what its exporter was
/// answered, and by what is not in the store.
pub struct Loss {
    pub tracer: &'static str,
    pub sent: usize,
    pub stored: usize,
    pub missing: BTreeSet<String>,
    pub dropped: BTreeSet<String>,
}

impl Loss {
    /// Whether just those spans are missing that were counted as dropped.
    pub fn agrees(&self) -> bool {
        self.missing == self.dropped
    }
}

/// Plays runs while a backend goes, is away, and is back.
pub fn run(suite: &Suite, backends: &mut Backends, away: Name, first: usize) -> Result<Outage> {
    let before = dropped(suite);
    let mut batches = runs::batches(&suite.sets, u32::try_from(first)?)?.into_iter();
    let mut next = || {
        batches
            .next()
            .context("there are too few batches for an outage")
    };
    let mut done = suite.play(next()?)?;
    done.extend(suite.play_while(next()?, || backends.stop(away))?);
    for _ in 0..AWAY {
        done.extend(suite.play(next()?)?);
    }
    backends.start_again(away)?;
    for batch in batches.take(AWAY) {
        done.extend(suite.play(batch)?);
    }
    let delivered = suite.counts.values().flat_map(Counts::delivered).collect();
    let store = Store::holding(backends, &delivered)?;
    let mut dropped = dropped(suite);
    for (tracer, ids) in &mut dropped {
        ids.retain(|id| !before[tracer].contains(id));
    }
    Ok(Outage {
        away,
        losses: losses(&done, &store, dropped),
        strayed: strayed(&done, &store),
    })
}

fn dropped(suite: &Suite) -> BTreeMap<&'static str, BTreeSet<String>> {
    let counts = suite.counts.iter();
    counts
        .map(|(tracer, counts)| (*tracer, counts.dropped()))
        .collect()
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

/// The losses of all tracers whose exporters are counted.
fn losses(
    done: &[Done],
    store: &Store,
    mut dropped: BTreeMap<&'static str, BTreeSet<String>>,
) -> Vec<Loss> {
    let counted = TRACERS
        .iter()
        .filter(|(_, way)| !matches!(way, Way::File | Way::Nowhere));
    let loss = counted.map(|(tracer, _)| {
        let dropped = dropped.remove(tracer).unwrap_or_default();
        loss(tracer, done, store, dropped)
    });
    loss.collect()
}

fn loss(tracer: &'static str, done: &[Done], store: &Store, dropped: BTreeSet<String>) -> Loss {
    let its = done.iter().filter(|done| done.run.named.tracer == tracer);
    let sent: BTreeSet<_> = its.flat_map(|done| done.sent.iter().cloned()).collect();
    let missing: BTreeSet<_> = sent.difference(store.ids()).cloned().collect();
    Loss {
        tracer,
        sent: sent.len(),
        stored: sent.len() - missing.len(),
        missing,
        dropped,
    }
}
