//! A policy as it is compared, and the pairs of selectors that belong together.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use spanmux_core::{Selector, TracerNames};

use crate::Constants;
use crate::comparison::Status;
use crate::observe::Observed;

/// The selectors of one side of a comparison, in evaluation order.
#[derive(Clone, Default)]
pub struct Policy {
    /// A name for the report, such as a path.
    pub name: String,
    /// The selectors.
    pub members: Vec<Member>,
}

/// A selector of a [`Policy`].
#[derive(Clone)]
pub struct Member {
    /// The name that both policies know it by, such as `20-tenant`.
    pub name: String,
    /// The selector.
    pub selector: Arc<dyn Selector>,
    /// The constants of its file, from which answers are made up.
    pub constants: Constants,
}

/// Selectors that are explored together: the old and the new version of one file, or all files
/// that only one of the policies has.
pub(crate) struct Group {
    pub(crate) status: Status,
    pub(crate) old: Vec<String>,
    pub(crate) new: Vec<String>,
    /// Indices into the observed selectors.
    pub(crate) observed: Vec<usize>,
    /// The old and the new selectors in order, as indices into `observed`.
    pub(crate) sides: [Vec<usize>; 2],
    pub(crate) words: usize,
    pub(crate) candidates: Constants,
}

/// Both policies over one list of observed selectors. A file that both have is in it once.
pub(crate) struct Pair {
    pub(crate) observed: Vec<Observed>,
    /// The old and the new chain, as indices.
    pub(crate) chains: [Vec<usize>; 2],
    pub(crate) groups: Vec<Group>,
}

/// Maximum number of numbers that are tried as answers. Those that only one version contains come
/// first.
const NUMBERS: usize = 48;

/// Larger than a threshold for tokens, bytes, milliseconds or cents.
const HUGE: i64 = 1 << 50;

impl Pair {
    pub(crate) fn of(old: &Policy, new: &Policy, names: &TracerNames) -> Self {
        let mut observed = Vec::new();
        let mut known: HashMap<(String, String), usize> = HashMap::new();
        let mut place = |member: &Member| {
            // The same file with another allow-list decides differently.
            let allowed = format!("{:?}", member.selector.allowed_tracers());
            let digest = member.selector.digest();
            let digest = digest.map(|digest| (digest.to_owned(), allowed));
            let known_place = digest.as_ref().and_then(|digest| known.get(digest));
            if let Some(place) = known_place {
                return *place;
            }
            observed.push(Observed::new(member.selector.clone(), names.clone()));
            let place = observed.len() - 1;
            if let Some(digest) = digest {
                known.insert(digest, place);
            }
            place
        };
        let chains = [old, new].map(|policy| policy.members.iter().map(&mut place).collect());
        let groups = groups([old, new], &chains);
        Self {
            observed,
            chains,
            groups,
        }
    }
}

fn groups(policies: [&Policy; 2], chains: &[Vec<usize>; 2]) -> Vec<Group> {
    let [old, new] = policies.map(|policy| &policy.members);
    let mut left: Vec<usize> = (0..new.len()).collect();
    let mut groups = Vec::new();
    let mut removed = Vec::new();
    for (at, member) in old.iter().enumerate() {
        let single = old.len() == 1 && new.len() == 1;
        let place = chains[0][at];
        let named = |other: &usize| single || new[*other].name == member.name;
        let equal = |other: &usize| chains[1][*other] == place;
        let found = left.iter().position(named);
        match found.or_else(|| left.iter().position(equal)) {
            Some(found) => {
                let other = left.remove(found);
                groups.push(Group::new(
                    [&[(member, place)], &[(&new[other], chains[1][other])]],
                    if equal(&other) {
                        Status::Same
                    } else {
                        Status::Changed
                    },
                ));
            }
            None => removed.push((member, place)),
        }
    }
    let added: Vec<_> = left
        .iter()
        .map(|&other| (&new[other], chains[1][other]))
        .collect();
    let status = match (removed.is_empty(), added.is_empty()) {
        (true, true) => return groups,
        (false, true) => Status::Removed,
        (true, false) => Status::Added,
        // A selector may have been renamed or split.
        (false, false) => Status::Replaced,
    };
    groups.push(Group::new([&removed, &added], status));
    groups
}

impl Group {
    fn new(members: [&[(&Member, usize)]; 2], status: Status) -> Self {
        let [old, new] = members.map(|members| members.iter().map(|(member, _)| *member));
        let names = |members: &[(&Member, usize)]| {
            let names = members.iter().map(|(member, _)| member.name.clone());
            names.collect::<Vec<String>>()
        };
        let mut observed: Vec<usize> = Vec::new();
        let sides = members.map(|members| {
            let mut side = Vec::new();
            for (_, place) in members {
                let known = observed.iter().position(|known| known == place);
                side.push(known.unwrap_or_else(|| {
                    observed.push(*place);
                    observed.len() - 1
                }));
            }
            side
        });
        let candidates = candidates(old.collect(), new.collect());
        Self {
            status,
            old: names(members[0]),
            new: names(members[1]),
            observed,
            sides,
            words: candidates.words.len(),
            candidates,
        }
    }

    pub(crate) fn is_changed(&self) -> bool {
        self.status != Status::Same
    }
}

/// Returns the constants of both sides. Those that only one side has come first: most changes of a
/// rule change a constant.
fn candidates(old: Vec<&Member>, new: Vec<&Member>) -> Constants {
    let words = |members: &[&Member]| {
        let words = members.iter().flat_map(|member| &member.constants.words);
        words.cloned().collect::<Vec<String>>()
    };
    let (before, after) = (words(&old), words(&new));
    let [in_old, in_new] = [&before, &after].map(|words| words.iter().collect::<BTreeSet<_>>());
    let one_side = |word: &&String| in_old.contains(word) != in_new.contains(word);
    let all = || before.iter().chain(&after);
    let mut ordered = Vec::new();
    let mut seen = BTreeSet::new();
    for word in all().filter(one_side).chain(all()) {
        if seen.insert(word) {
            ordered.push(word.clone());
        }
    }
    let mut candidates = Constants {
        words: ordered,
        integers: numbers([&old, &new], |constants| &constants.integers),
        floats: numbers([&old, &new], |constants| &constants.floats),
    };
    // Beyond any threshold.
    candidates.integers.extend([-HUGE, HUGE]);
    candidates
}

fn numbers<N: Copy + Ord>(
    sides: [&[&Member]; 2],
    of: impl Fn(&Constants) -> &BTreeSet<N>,
) -> BTreeSet<N> {
    let [old, new] = sides.map(|members| {
        let numbers = members.iter().flat_map(|member| of(&member.constants));
        numbers.copied().collect::<BTreeSet<N>>()
    });
    let one_side = old.symmetric_difference(&new);
    let both = old.intersection(&new);
    one_side.chain(both).copied().take(NUMBERS).collect()
}
