//! Compares two policies: explores their selectors in groups, and asks both chains about every
//! context and about combinations of contexts.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{Hash as _, Hasher};

use serde_json::Value;
use spanmux_core::explanation::{Answer, Outcome, Question};
use spanmux_core::{Cause, RuntimeContext, TracerNames};

use crate::comparison::{Change, Comparison, Difference, ExploredGroup, GivenDifference, Verdict};
use crate::condition::{Condition, merge};
use crate::joint::{Entries, Joint, comparable, hash, joint_path, json_text};
use crate::observe::Asked;
use crate::policy::{Pair, Policy};
use crate::smallest::smallest;

/// The default tracers, the same as those of `spanmux route`.
const USUAL: [&str; 3] = ["langfuse", "datadog", "console"];
/// Maximum number of words that are offered as tracers.
const MOST_NAMES: usize = 512;
/// Maximum number of contexts of a group that are combined with those of others.
const COMBINED: usize = 64;
/// Maximum number of differing contexts of one kind that are combined.
const OF_A_KIND: usize = 16;
/// Maximum number of differing contexts whose smallest form is computed for one change.
const WITNESSES: usize = 4_000;
/// The number of contexts after which progress is reported.
const REPORTED: usize = 500;

/// Settings of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The available tracers. If empty, every name that a selector chooses counts as a tracer.
    pub tracers: Vec<String>,
    /// Maximum number of made-up contexts for each group of selectors, and again of combinations.
    pub budget: usize,
    /// Contexts of the user, which both policies are asked about too. Their texts are tried as
    /// answers.
    pub given: Vec<Given>,
}

/// A context of the user.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its place in the file, or the name of its case.
    pub label: String,
    /// A JSON object.
    pub context: Value,
}

impl Comparison {
    /// The budget of [`Settings`] that the command uses by default.
    pub const BUDGET: usize = 10_000;

    /// Compares two policies. `progress` is called now and then with the number of contexts so far.
    ///
    /// # Cost
    /// At most one run of a selector per context and selector, and a walk through remembered runs
    /// otherwise: about a second for small selectors, and up to a minute for an interpreter.
    pub fn of(
        old: &Policy,
        new: &Policy,
        settings: &Settings,
        progress: &mut dyn FnMut(usize),
    ) -> Self {
        let names = names(old, new, settings);
        let mut chains = Chains {
            pair: Pair::of(old, new, &names),
            all_names: settings.tracers.is_empty(),
            changes: BTreeMap::new(),
            undetermined: 0,
            asked: 0,
            seen: HashSet::new(),
        };
        let mut comparison = Self {
            old: old.name.clone(),
            new: new.name.clone(),
            identical: chains.pair.chains[0] == chains.pair.chains[1],
            changes: Vec::new(),
            groups: Vec::new(),
            combined: 0,
            combinations_left: 0,
            given: settings.given.len(),
            undetermined: 0,
        };
        let seeds = seeds(&settings.given);
        let mut pools = Vec::new();
        for place in 0..chains.pair.groups.len() {
            let (explored, pool) = if comparison.identical {
                chains.unexplored(place)
            } else {
                chains.explore(place, settings, &seeds, progress)
            };
            comparison.groups.push(explored);
            pools.push(pool);
        }
        if !comparison.identical {
            let (combined, left) = chains.combine(&pools, settings.budget, progress);
            comparison.combined = combined;
            comparison.combinations_left = left;
            chains.given(&settings.given);
        }
        comparison.undetermined = chains.undetermined;
        comparison.changes = chains.into_changes();
        comparison
    }
}

/// Returns the tracers: the given ones, or the usual ones and the words of all files, because a
/// selector may use a name only if that tracer is available.
fn names(old: &Policy, new: &Policy, settings: &Settings) -> TracerNames {
    if !settings.tracers.is_empty() {
        return TracerNames::new(settings.tracers.iter().cloned());
    }
    let members = old.members.iter().chain(&new.members);
    let words = members.flat_map(|member| member.constants.words.iter().cloned());
    let mut seen = HashSet::new();
    let all = USUAL.into_iter().map(str::to_owned).chain(words);
    let names = all.filter(|name| seen.insert(name.clone()));
    TracerNames::new(names.take(MOST_NAMES))
}

fn seeds(given: &[Given]) -> Vec<Entries> {
    let entries = given.iter().filter_map(|given| given.context.as_object());
    entries.cloned().collect()
}

/// Both chains, and the differences between them that were seen.
struct Chains {
    pair: Pair,
    /// Whether every name counts as a tracer.
    all_names: bool,
    changes: BTreeMap<(Verdict, Verdict), Seen>,
    undetermined: usize,
    asked: usize,
    /// Hashes of the contexts that both chains were asked about.
    seen: HashSet<u64>,
}

#[derive(Default)]
struct Seen {
    contexts: usize,
    witnesses: Vec<Entries>,
    given: Vec<GivenDifference>,
}

/// The contexts of one group that are combined with those of others.
#[derive(Default)]
struct Pool {
    /// Contexts for which the selectors of the group differ.
    differing: Vec<Entries>,
    /// A context for each way in which they decide.
    typical: Vec<Entries>,
}

impl Chains {
    fn unexplored(&self, place: usize) -> (ExploredGroup, Pool) {
        let group = &self.pair.groups[place];
        let explored = ExploredGroup {
            status: group.status,
            old: group.old.clone(),
            new: group.new.clone(),
            words: group.words,
            contexts: 0,
            left: 0,
            sampled: false,
        };
        (explored, Pool::default())
    }

    fn explore(
        &mut self,
        place: usize,
        settings: &Settings,
        seeds: &[Entries],
        progress: &mut dyn FnMut(usize),
    ) -> (ExploredGroup, Pool) {
        let (mut explored, mut pool) = self.unexplored(place);
        let group = &self.pair.groups[place];
        let (members, sides) = (group.observed.clone(), group.sides.clone());
        let mut candidates = group.candidates.clone();
        let mut own = texts(&settings.given);
        own.append(&mut candidates.words);
        candidates.words = own;
        let mut found = Vec::new();
        let mut kinds: HashMap<u64, usize> = HashMap::new();
        let before = self.asked;
        let mut contexts = 0;
        let joint = Joint::new(&candidates, settings.budget);
        let extent = joint.run(
            &mut self.pair.observed,
            &members,
            seeds,
            |entries, asked| {
                contexts += 1;
                if contexts % REPORTED == 0 {
                    progress(before + contexts);
                }
                let differ = differ(&sides, asked);
                let kind = hash(|state| kind(entries, asked, differ, state));
                let known = kinds.entry(kind).or_default();
                *known += 1;
                if *known == 1 && pool.typical.len() < COMBINED {
                    pool.typical.push(entries.clone());
                }
                if differ && *known <= OF_A_KIND {
                    pool.differing.push(entries.clone());
                }
                found.push(entries.clone());
            },
        );
        for entries in found {
            self.ask(&entries);
        }
        explored.contexts = extent.contexts;
        explored.left = extent.left;
        explored.sampled = extent.dull_left;
        (explored, pool)
    }

    /// Combines the contexts of changed groups with those of all others, first with one other and
    /// then with two. Returns the number of combinations, and of those that were not tried.
    fn combine(
        &mut self,
        pools: &[Pool],
        budget: usize,
        progress: &mut dyn FnMut(usize),
    ) -> (usize, usize) {
        let changed = self.pair.groups.iter().any(|group| group.is_changed());
        let mut combined = 0;
        let mut left = 0;
        let mut ask = |chains: &mut Self, entries: Entries| {
            if combined == budget {
                left += 1;
            } else if chains.ask(&entries) {
                combined += 1;
                if combined % REPORTED == 0 {
                    progress(chains.asked);
                }
            }
        };
        for (place, pool) in pools.iter().enumerate() {
            // Without a changed file, only the order differs, and any selector may be concerned.
            let own = if changed {
                &pool.differing
            } else {
                &pool.typical
            };
            let others = || {
                pools
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| *other != place)
            };
            for entries in own {
                for other in others().flat_map(|(_, pool)| &pool.typical) {
                    ask(self, over(other, entries));
                    ask(self, over(entries, other));
                }
            }
            for entries in own.iter().take(COMBINED) {
                for (first, one) in others() {
                    for (_, two) in others().filter(|(second, _)| *second > first) {
                        for pair in one.typical.iter().zip(two.typical.iter().rev()) {
                            ask(self, over(&over(pair.0, pair.1), entries));
                        }
                    }
                }
            }
        }
        (combined, left)
    }

    /// Asks both chains about a made-up context. Returns `false` if they were asked before.
    fn ask(&mut self, entries: &Entries) -> bool {
        let text = json_text(entries);
        if !self.seen.insert(hash(|state| text.hash(state))) {
            return false;
        }
        self.asked += 1;
        if let Some(change) = self.change(&text) {
            let seen = self.changes.entry(change).or_default();
            seen.contexts += 1;
            if seen.witnesses.len() < WITNESSES {
                seen.witnesses.push(entries.clone());
            }
        }
        true
    }

    fn given(&mut self, given: &[Given]) {
        for given in given {
            if let Some(change) = self.change(&given.context.to_string()) {
                let seen = self.changes.entry(change).or_default();
                seen.given.push(GivenDifference {
                    label: given.label.clone(),
                    context: given.context.clone(),
                });
            }
        }
    }

    /// Returns both decisions for a context if they differ.
    fn change(&mut self, context: &str) -> Option<(Verdict, Verdict)> {
        let (outcomes, _) = self.decide(context)?;
        let [from, to] = outcomes.map(|outcome| self.verdict(&outcome));
        match (from, to) {
            (Some(from), Some(to)) => (from != to).then_some((from, to)),
            _ => {
                self.undetermined += 1;
                None
            }
        }
    }

    /// Returns the outcome of both chains, and all questions that led to them.
    fn decide(&mut self, context: &str) -> Option<([Outcome; 2], Vec<Asked>)> {
        let context = RuntimeContext::from_json(context).ok()?;
        let view = context.view();
        let Pair {
            observed, chains, ..
        } = &mut self.pair;
        let mut all = Vec::new();
        let outcomes = [0, 1].map(|side| {
            for &place in &chains[side] {
                let asked = observed[place].ask(&view);
                let outcome = asked.outcome.clone();
                all.push(asked);
                if outcome != Outcome::Abstains {
                    return outcome;
                }
            }
            Outcome::Abstains
        });
        Some((outcomes, all))
    }

    /// Converts an outcome to the compared part. `None` for a decision that depends on the machine.
    fn verdict(&self, outcome: &Outcome) -> Option<Verdict> {
        Some(match outcome {
            Outcome::Tracer(name) => Verdict::Tracer(name.clone()),
            Outcome::Abstains => Verdict::Abstained,
            Outcome::Fallback { cause, reason } => match outcome.unknown_tracer() {
                Some(name) if self.all_names => Verdict::Tracer(name.to_owned()),
                _ if depends_on_the_machine(cause, reason) => return None,
                _ => Verdict::Failed(cause.clone()),
            },
        })
    }

    fn into_changes(mut self) -> Vec<Change> {
        let seen = std::mem::take(&mut self.changes);
        let mut changes: Vec<Change> = seen
            .into_iter()
            .map(|((from, to), seen)| {
                let both = (from, to);
                let differences = self.differences(&both, seen.witnesses);
                Change {
                    from: both.0,
                    to: both.1,
                    contexts: seen.contexts,
                    differences,
                    given: seen.given,
                }
            })
            .collect();
        changes.sort_by_key(|change| std::cmp::Reverse((change.given.len(), change.contexts)));
        changes
    }

    fn differences(
        &mut self,
        both: &(Verdict, Verdict),
        witnesses: Vec<Entries>,
    ) -> Vec<Difference> {
        let mut examples = Vec::new();
        let mut known = HashSet::new();
        for witness in witnesses {
            let example = smallest(witness, |entries| {
                self.change(&json_text(entries)).as_ref() == Some(both)
            });
            let text = json_text(&example);
            if !known.insert(text.clone()) {
                continue;
            }
            let asked = self.decide(&text).map(|(_, asked)| asked);
            let path: Vec<(Question, Answer)> = joint_path(asked.as_deref().unwrap_or_default())
                .into_iter()
                .cloned()
                .collect();
            examples.push((Condition::of(&path, &example), example));
        }
        let mut differences: Vec<Difference> = merge(examples)
            .into_iter()
            .map(|(condition, example)| Difference { condition, example })
            .collect();
        differences.sort_by_cached_key(|each| (each.example.len(), each.condition.to_string()));
        differences
    }
}

/// Returns `true` for a failure that says nothing about the rules.
fn depends_on_the_machine(cause: &str, reason: &str) -> bool {
    let load = [Cause::Overloaded, Cause::Suspended, Cause::Host];
    load.iter().any(|load| load.as_str() == cause)
        || cause == Cause::OutOfBudget.as_str() && reason.ends_with("time")
}

/// Returns `true` if the old selectors of a group decide otherwise than the new ones.
fn differ(sides: &[Vec<usize>; 2], asked: &[Asked]) -> bool {
    let abstains = comparable(&Outcome::Abstains);
    let [old, new] = [0, 1].map(|side| {
        let outcomes = sides[side].iter().filter_map(|&place| asked.get(place));
        let mut outcomes = outcomes.map(|asked| comparable(&asked.outcome));
        outcomes.find(|outcome| *outcome != abstains)
    });
    old != new
}

/// Contexts of one kind have equal outcomes and the same keys.
fn kind(entries: &Entries, asked: &[Asked], differ: bool, state: &mut impl Hasher) {
    differ.hash(state);
    entries.keys().for_each(|key| key.hash(state));
    for asked in asked {
        comparable(&asked.outcome).hash(state);
    }
}

/// Returns the entries of both. Those of `upper` win.
fn over(lower: &Entries, upper: &Entries) -> Entries {
    let mut entries = lower.clone();
    entries.extend(upper.clone());
    entries
}

/// Returns the distinct texts in the given contexts.
fn texts(given: &[Given]) -> Vec<String> {
    let mut texts = BTreeSet::new();
    let mut left: Vec<&Value> = given.iter().map(|given| &given.context).collect();
    while let Some(value) = left.pop() {
        match value {
            Value::String(text) => drop(texts.insert(text.clone())),
            Value::Array(array) => left.extend(array),
            Value::Object(object) => left.extend(object.values()),
            _ => {}
        }
    }
    texts.into_iter().collect()
}
