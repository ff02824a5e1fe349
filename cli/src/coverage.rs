//! Coverage of test cases: the branches of a selector and the tracers that no case reached.
//!
//! The branches are discovered by running the selector on made-up contexts (`spanmux_diff`) and on
//! the test cases. There may be others.

use std::fs;

use anyhow::{Context as _, Result};
use serde::Serialize;
use spanmux::explain::{Outcome, Rule, Rules};
use spanmux::{ComponentSelector, ContextView, LoadedFile, Mode, Selector as _, TracerNames};
use spanmux_diff::{Walk, ask_around, leave_out, unknown_last, words};

/// The coverage of one selector.
#[derive(Debug, Serialize)]
pub(crate) struct Coverage {
    /// The selector's name.
    pub(crate) selector: String,
    /// The number of discovered branches.
    pub(crate) branches: usize,
    /// The branches that no case reached.
    pub(crate) missed: Vec<Missed>,
    /// The tracers that at least one branch chooses.
    #[serde(skip)]
    pub(crate) chooses: Vec<String>,
}

/// A branch that no case reached.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Missed {
    /// The questions and answers that lead to it.
    pub(crate) branch: String,
    /// The decision at its end.
    pub(crate) ends: String,
}

impl Coverage {
    /// Discovers the branches of a selector and checks which of them these contexts reach.
    ///
    /// The made-up contexts use the words in the selector's file and the words in `cases`,
    /// because an interpreter hides those of its program.
    ///
    /// # Errors
    /// Returns an error if the selector's file can no longer be read.
    pub(crate) fn of(
        selector: &ComponentSelector,
        file: &LoadedFile,
        contexts: &[ContextView<'_>],
        cases: &[String],
        tracers: &TracerNames,
    ) -> Result<Self> {
        let bytes =
            fs::read(&file.path).with_context(|| format!("cannot read {}", file.path.display()))?;
        // Starts with an empty decision cache, so that no other contexts count.
        let selector = selector.with_mode(Mode::Cached);
        ask_around(&selector, &[cases, &words(&bytes)].concat(), tracers);
        for context in contexts {
            selector.decision(context, tracers);
        }
        let mut walk = Walk::new(selector.explain(tracers));
        for context in contexts {
            walk.count(context);
        }
        if let Some(tree) = &mut walk.explanation.tree {
            leave_out(tree);
        }
        let mut rules = Rules::new(&walk.explanation);
        rules.root.iter_mut().for_each(unknown_last);
        let mut coverage = Self {
            selector: file.name(),
            branches: 0,
            missed: Vec::new(),
            chooses: rules.chosen.into_iter().map(|(name, _)| name).collect(),
        };
        if let Some(root) = &rules.root {
            coverage.follow(root, &mut Vec::new());
        }
        Ok(coverage)
    }

    /// Visits every decision below a rule.
    fn follow(&mut self, rule: &Rule, edge: &mut Vec<String>) {
        match rule {
            Rule::Asks {
                question, branches, ..
            } => {
                for branch in branches {
                    edge.push(format!("{question}? {}", branch.label.line()));
                    self.follow(&branch.then, edge);
                    edge.pop();
                }
            }
            Rule::Decides { outcome, hits } => self.end(outcome, *hits, edge),
            // A subtree without known answers, or with more questions than test cases cover.
            _ => {}
        }
    }

    fn end(&mut self, outcome: &Outcome, hits: u64, edge: &[String]) {
        self.branches += 1;
        if hits == 0 {
            self.missed.push(Missed {
                branch: edge.join(", "),
                ends: outcome.to_string(),
            });
        }
    }
}
