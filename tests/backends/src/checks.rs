//! The checks over all runs, and the closing line.

use std::collections::BTreeSet;
use std::process::ExitCode;

use crate::outage::{Loss, Outage};
use crate::runs::Run;
use crate::store::Store;
use crate::tracers::TRACERS;
use crate::verdict::Verdict;

/// Number of runs: contexts, sets of selectors, concurrency.
const RUNS: usize = 10 * 5 * 4;

#[derive(Default)]
pub struct Checks {
    passed: usize,
    failures: Vec<String>,
}

impl Checks {
    /// Checks each run, and all runs together.
    pub fn runs(&mut self, verdicts: &[Verdict<'_>], store: &Store) {
        for verdict in verdicts {
            let Run { number, named, .. } = &verdict.done.run;
            let problems = verdict.problems.join("; ");
            self.check(problems.is_empty(), || {
                format!("run {number}, for {}: {problems}", named.tracer)
            });
        }
        self.check(verdicts.len() == RUNS, || {
            format!("{} runs, not {RUNS}", verdicts.len())
        });
        for (tracer, _) in TRACERS {
            let named = verdicts
                .iter()
                .any(|verdict| verdict.done.run.named.tracer == tracer);
            self.check(named, || format!("no run was sent to {tracer}"));
        }
        let ours: BTreeSet<_> = verdicts.iter().map(|verdict| &verdict.done.trace).collect();
        self.check(ours.len() == verdicts.len(), || {
            "two runs share a trace".to_owned()
        });
        let strange = store
            .spans()
            .filter(|span| !ours.contains(&span.trace))
            .count();
        self.check(strange == 0, || {
            format!("{strange} stored spans belong to no run")
        });
    }

    /// Checks that the counts match the stores and that nothing was lost.
    pub fn undisturbed(&mut self, losses: &[Loss]) {
        for loss in losses {
            self.check(loss.agrees() && loss.missing == 0, || {
                format!(
                    "{}: {} of {} are missing",
                    loss.tracer, loss.missing, loss.sent
                )
            });
        }
    }

    /// Checks that the lost spans are the missing ones, that some were lost, and that only tracers
    /// of the stopped backend lost any. A tracer with a disk buffer lost nothing.
    pub fn outage(&mut self, outage: &Outage) {
        for loss in &outage.losses {
            self.check(loss.agrees(), || {
                format!(
                    "{} away, {}: counted and stored differ: {} of {} stored, {} delivered, \
                     lost: {}",
                    outage.away,
                    loss.tracer,
                    loss.stored,
                    loss.sent,
                    loss.counted.delivered,
                    loss.counted.causes()
                )
            });
        }
        for loss in &outage.losses {
            self.check(loss.missing == 0 || outage.may_lose(loss.tracer), || {
                format!("{} away, and {} has lost spans", outage.away, loss.tracer)
            });
        }
        let lost: usize = outage.losses.iter().map(|loss| loss.missing).sum();
        self.check(lost > 0, || {
            "the outage lost nothing, so it showed nothing".to_owned()
        });
        let strayed = outage.strayed;
        self.check(strayed == 0, || {
            format!("{strayed} spans were stored in a wrong place")
        });
    }

    /// Checks a part of what a Python program sent.
    pub fn python(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        self.check(holds, otherwise);
    }

    fn check(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if holds {
            self.passed += 1;
        } else {
            self.failures.push(otherwise());
        }
    }

    /// Records a failure that prevented the checks.
    pub fn fail(&mut self, why: String) {
        self.failures.push(why);
    }

    pub fn failed(&self) -> bool {
        !self.failures.is_empty()
    }

    /// Prints the failures and the closing line.
    pub fn print(&self) -> ExitCode {
        for failure in &self.failures {
            println!("FAILED {failure}");
        }
        println!(
            "\n{} passed, {} failed, 0 skipped",
            self.passed,
            self.failures.len()
        );
        if self.failed() || self.passed == 0 {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}
