//! What no case reached: branches of a selector, and tracers.
//!
//! A selector's branches are those that are seen when it is asked about contexts that
//! are made up (`explore`) and about the cases. There may be others.

use std::fs;

use anyhow::{Context as _, Result};
use serde::Serialize;
use spanmux::explain::{Outcome, Rule, Rules};
use spanmux::{ComponentSelector, ContextView, LoadedFile, Mode, Selector as _, TracerNames};

use crate::explore::{ask_around, leave_out, unknown_last, words};
use crate::walk::Walk;

/// What the cases reached of one selector.
#[derive(Debug, Serialize)]
pub(crate) struct Coverage {
    /// The selector's name.
    pub(crate) selector: String,
    /// How many of its branches were found.
    pub(crate) branches: usize,
    /// Those that no case reached.
    pub(crate) missed: Vec<Missed>,
    /// The tracers that some branch chooses.
    #[serde(skip)]
    pub(crate) chooses: Vec<String>,
}

/// A branch that no case reached.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Missed {
    /// The way there.
    pub(crate) branch: String,
    /// Where it ends.
    pub(crate) ends: String,
}

impl Coverage {
    /// Finds the selector's branches, and which of them these contexts reach. What is
    /// made up is of the words in its file, and of those in `cases`: an interpreter hides
    /// its own.
    ///
    /// # Errors
    /// If its file cannot be read any more.
    pub(crate) fn of(
        selector: &ComponentSelector,
        file: &LoadedFile,
        contexts: &[ContextView<'_>],
        cases: &[String],
        tracers: &TracerNames,
    ) -> Result<Self> {
        let bytes =
            fs::read(&file.path).with_context(|| format!("cannot read {}", file.path.display()))?;
        // One that has learned nothing yet: what is made up is no case.
        let selector = selector.with_mode(Mode::Learned);
        ask_around(&selector, &[cases, &words(&bytes)].concat(), tracers);
        for context in contexts {
            selector.decide(context, tracers);
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

    /// Goes to every end below a rule.
    fn follow(&mut self, rule: &Rule, way: &mut Vec<String>) {
        match rule {
            Rule::Asks {
                question, branches, ..
            } => {
                for branch in branches {
                    way.push(format!("{question}? {}", branch.label.line()));
                    self.follow(&branch.then, way);
                    way.pop();
                }
            }
            Rule::Decides { outcome, hits } => self.end(outcome, *hits, way),
            // More questions than anybody writes cases for.
            _ => {}
        }
    }

    fn end(&mut self, outcome: &Outcome, hits: u64, way: &[String]) {
        self.branches += 1;
        if hits == 0 {
            self.missed.push(Missed {
                branch: way.join(", "),
                ends: outcome.to_string(),
            });
        }
    }
}
