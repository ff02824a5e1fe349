//! Conversion of a tree to an [`Explanation`].

use std::collections::HashMap;

use super::bounded;
use super::question::Place;
use super::tree::Tree;
use super::trie::{Node, Step};
use crate::decision::Choice;
use crate::explanation::{self, Answer, Edge, Explanation, Outcome};

/// The entries of the bounded cache by node.
type Cached = HashMap<u64, Vec<(Answer, bounded::Step, u32)>>;

/// The hits that were counted in the trees of chains, by leaf.
type OfChains = HashMap<usize, u64>;

impl Tree {
    /// Returns the content of this tree, without the selector's name.
    pub(super) fn explain(&self, runs: u64) -> Explanation {
        let mut cached = Cached::new();
        if let Some(cache) = self.cache() {
            cache.each(|node, answer, then, seen| {
                let entry = (answer.explain(), then.clone(), seen);
                cached.entry(node).or_default().push(entry);
            });
        }
        let size = self.size();
        let mut of_chains = OfChains::new();
        self.chains().each_hit(self, |leaf, hits| {
            *of_chains.entry(leaf).or_default() += hits
        });
        Explanation {
            selector: String::new(),
            digest: None,
            tracers: self.names.as_slice().to_vec(),
            tree: self
                .root()
                .map(|step| self.step(step, &mut cached, &of_chains)),
            hits: self.hits().total() + of_chains.values().sum::<u64>(),
            runs,
            edges: size.entries,
            bytes: size.bytes,
        }
    }

    fn step(&self, step: &Step, cached: &mut Cached, of_chains: &OfChains) -> explanation::Step {
        match step {
            Step::Asks(node) => explanation::Step::Asks(
                self.asked(node.question),
                self.edges(node, cached, of_chains),
            ),
            Step::Decides(verdict, end) => {
                let hits = self.hits().of(*end) + of_chains.get(end).copied().unwrap_or(0);
                explanation::Step::Decides(self.outcome(&verdict.choice()), hits)
            }
        }
    }

    fn edges(&self, node: &Node, cached: &mut Cached, of_chains: &OfChains) -> Vec<Edge> {
        let own = node.ways.edges().map(|edge| Edge {
            answer: edge.answer.explain(),
            then: self.step(&edge.then, cached, of_chains),
        });
        let mut edges: Vec<Edge> = own.collect();
        if node.overflows() {
            edges.extend(self.cached_ways(node.id(), cached));
        }
        edges
    }

    /// The recursion is bounded by the longest cached path.
    fn cached_ways(&self, node: u64, cached: &mut Cached) -> Vec<Edge> {
        let entries = cached.remove(&node).unwrap_or_default();
        let edges = entries.into_iter().map(|(answer, then, seen)| {
            let then = match (&then, then.choice()) {
                (_, Some(choice)) => explanation::Step::Decides(self.outcome(&choice), seen.into()),
                (bounded::Step::Asks(question, next), None) => {
                    explanation::Step::Asks(self.asked(*question), self.cached_ways(*next, cached))
                }
                (_, None) => explanation::Step::Asks(explanation::Question::Keys, Vec::new()),
            };
            Edge { answer, then }
        });
        edges.collect()
    }

    fn asked(&self, place: Place) -> explanation::Question {
        self.question(place)
            .map_or(explanation::Question::Keys, explanation::Question::of)
    }

    fn outcome(&self, choice: &Choice) -> Outcome {
        Outcome::of(choice, &self.names)
    }
}
