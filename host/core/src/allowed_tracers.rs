//! The tracers that a selector may choose.
//!
//! An allow-list belongs to one selector of a chain. It is applied to the selector's answers, outside
//! of its decision cache, so that the same component can have different lists under two names.

use std::fmt;
use std::sync::Arc;

use crate::decision::{Choice, CompactDecision, Decision, Fallback};
use crate::explanation::is_printable;
use crate::tracer_names::{MAX_NAME_BYTES, TracerNames};

/// Maximum number of patterns in one allow-list.
const MAX_PATTERNS: usize = 1_024;

/// Characters that are wildcards in other languages. Rejected, because a pattern that silently
/// matches nothing refuses every answer.
const RESERVED: [char; 7] = ['?', '[', ']', '{', '}', '\\', '"'];

/// The names of the tracers that a selector may choose, as patterns: an allow-list.
///
/// In a pattern, `*` stands for any number of characters, also for none. It may be used anywhere and
/// repeatedly. Every other character stands for itself; upper and lower case differ. The whole name
/// must match one of the patterns. `*` cannot be escaped, and
/// `?`, `[`, `]`, `{`, `}`, `\`, `"` and characters that do not show themselves are rejected.
///
/// Any other answer of the selector is refused with
/// [`Fallback::ForbiddenTracer`](crate::Fallback::ForbiddenTracer), whether a tracer has that name or
/// not, and whether the decision is cached or not. An abstention is always allowed.
///
/// # Cost
/// Compares the chosen name with one pattern after the other. Decisions that a whole chain has
/// learned are compared once. Cloning is cheap.
///
/// # Examples
/// ```
/// use spanmux::{AllowedTracers, Cause, Chain, RuntimeContext, TracerRegistry, selector_fn};
///
/// let by_tenant = selector_fn("by-tenant", |context, tracers| {
///     tracers.choose(context.text("tenant").unwrap_or_default())
/// });
/// let registry = TracerRegistry::<()>::new();
/// for name in ["quarantine", "tenant-acme", "billing"] {
///     registry.register(name, ())?;
/// }
/// let allowed = AllowedTracers::new(["tenant-*", "quarantine"])?;
/// registry.set_selectors(Chain::from(by_tenant).restricted_to(&allowed));
///
/// let select = |tenant| {
///     let context = RuntimeContext::builder().set("tenant", tenant).build();
///     registry.select(&context.view())
/// };
/// assert_eq!(select("tenant-acme").tracer_name(), Some("tenant-acme"));
/// let refused = select("billing");
/// assert_eq!(refused.tracer_name(), Some("quarantine"));
/// assert_eq!(refused.reason().cause(), Some(Cause::ForbiddenTracer));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AllowedTracers {
    patterns: Arc<[Box<str>]>,
}

impl AllowedTracers {
    /// Creates an allow-list.
    ///
    /// # Errors
    /// Returns [`PatternError`] for a pattern that is empty, longer than a tracer's name or contains
    /// a reserved character, and if there is no pattern or more than 1,024.
    pub fn new<P: Into<String>>(
        patterns: impl IntoIterator<Item = P>,
    ) -> Result<Self, PatternError> {
        let mut list = Vec::new();
        for pattern in patterns {
            let pattern = pattern.into();
            Self::check_pattern(&pattern)?;
            if list.len() == MAX_PATTERNS {
                return Err(PatternError::TooMany);
            }
            list.push(pattern.into_boxed_str());
        }
        if list.is_empty() {
            return Err(PatternError::NoPattern);
        }
        Ok(Self {
            patterns: list.into(),
        })
    }

    fn check_pattern(pattern: &str) -> Result<(), PatternError> {
        if pattern.is_empty() {
            return Err(PatternError::Empty);
        }
        let owned = || pattern.to_owned();
        if pattern.len() > MAX_NAME_BYTES {
            return Err(PatternError::TooLong { pattern: owned() });
        }
        let is_reserved = |it: &char| RESERVED.contains(it) || !is_printable(*it);
        match pattern.chars().find(is_reserved) {
            Some(character) => Err(PatternError::Reserved {
                pattern: owned(),
                character,
            }),
            None => Ok(()),
        }
    }

    /// Returns `true` if a selector may choose a tracer of this name.
    #[inline]
    pub fn allows(&self, name: &str) -> bool {
        let mut patterns = self.patterns.iter();
        patterns.any(|pattern| matches(pattern, name))
    }

    /// Returns the patterns in order.
    pub fn patterns(&self) -> impl ExactSizeIterator<Item = &str> {
        self.patterns.iter().map(|pattern| &**pattern)
    }
}

/// Formats the patterns: `tenant-*, quarantine`.
impl fmt::Display for AllowedTracers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.patterns.join(", "))
    }
}

/// Formats the patterns.
impl fmt::Debug for AllowedTracers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.patterns.iter()).finish()
    }
}

/// Matches a name with a pattern, byte by byte. At most the product of both lengths, which are
/// bounded by that of a name.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut read) = (0, 0);
    // The position after the last `*`, and that in the name up to which the `*` stands.
    let mut star = None;
    while let Some(byte) = name.get(read) {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                star = Some((at, read));
            }
            Some(wanted) if wanted == byte => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((after, until)) = star else {
                    return false;
                };
                (at, read) = (after, until + 1);
                star = Some((after, until + 1));
            }
        }
    }
    let rest = pattern.get(at..).unwrap_or_default();
    rest.iter().all(|byte| *byte == b'*')
}

/// The reason why an allow-list is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternError {
    /// The list has no pattern.
    NoPattern,
    /// The list has more than 1,024 patterns.
    TooMany,
    /// A pattern is empty.
    Empty,
    /// A pattern is longer than [`MAX_NAME_BYTES`].
    TooLong {
        /// The pattern.
        pattern: String,
    },
    /// A pattern contains a character that has no meaning in it.
    Reserved {
        /// The pattern.
        pattern: String,
        /// The character.
        character: char,
    },
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPattern => f.write_str(
                "the list is empty and would refuse every tracer; list at least one name or \
                 pattern, such as \"tenant-*\"",
            ),
            Self::TooMany => write!(
                f,
                "the list has more than {MAX_PATTERNS} patterns; combine names with `*`"
            ),
            Self::Empty => f.write_str("a pattern must not be empty; remove it"),
            Self::TooLong { pattern } => write!(
                f,
                "a pattern has {} bytes, but a tracer's name has at most {MAX_NAME_BYTES}",
                pattern.len()
            ),
            Self::Reserved { pattern, character } => write!(
                f,
                "the pattern \"{}\" contains {character:?}; the only wildcard is `*`, for any \
                 number of characters",
                pattern.escape_debug()
            ),
        }
    }
}

impl std::error::Error for PatternError {}

/// An allow-list and the name of its selector.
#[derive(Debug)]
pub(crate) struct Restriction {
    pub(crate) selector: Arc<str>,
    pub(crate) allowed: AllowedTracers,
}

impl Restriction {
    /// Returns the refusal of a choice, or `None` if it is allowed.
    pub(crate) fn refuse(&self, choice: &Choice, tracers: &TracerNames) -> Option<Choice> {
        let name = match choice {
            Choice::Tracer(index) => tracers.name(*index)?,
            Choice::Fallback(Fallback::UnknownTracer(name)) => name,
            _ => return None,
        };
        self.refuse_name(name)
    }

    pub(crate) fn refuse_name(&self, name: &str) -> Option<Choice> {
        let refused = || {
            Choice::Fallback(Fallback::ForbiddenTracer {
                selector: self.selector.to_string(),
                tracer: name.to_owned(),
            })
        };
        (!self.allowed.allows(name)).then(refused)
    }

    /// Returns the decision, or its refusal with the same origin.
    #[inline]
    pub(crate) fn apply(
        &self,
        decision: CompactDecision,
        tracers: &TracerNames,
    ) -> CompactDecision {
        let refused = match (decision.place(), decision.as_whole()) {
            (Some(place), _) => tracers.at(place).and_then(|name| self.refuse_name(name)),
            (None, Some(whole)) => self.refuse(&whole.choice, tracers),
            (None, None) => None,
        };
        match refused {
            None => decision,
            Some(choice) => {
                let origin = decision.into_decision().origin;
                CompactDecision::from(Decision { choice, origin })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The meaning of a pattern, written as a recursion.
    fn means(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => {
                means(rest, name)
                    || name
                        .split_first()
                        .is_some_and(|(_, less)| means(pattern, less))
            }
            ([a, rest @ ..], [b, less @ ..]) => a == b && means(rest, less),
            _ => false,
        }
    }

    /// All texts of up to this many letters.
    fn texts(letters: &[&str], most: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..most {
            let longer = |text: &String| letters.iter().map(|it| format!("{text}{it}")).collect();
            last = last
                .iter()
                .flat_map(|text| -> Vec<String> { longer(text) })
                .collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    #[test]
    fn every_short_pattern_matches_by_its_meaning() {
        let names = texts(&["a", "b"], 5);
        let mut matched = 0;
        for pattern in texts(&["a", "b", "*"], 4) {
            for name in &names {
                let expected = means(pattern.as_bytes(), name.as_bytes());
                assert_eq!(matches(&pattern, name), expected, "{pattern} {name}");
                matched += usize::from(expected);
            }
        }
        assert!(matched > 1_000, "{matched}");
    }

    #[test]
    fn whole_names_match_with_case() {
        let allowed = AllowedTracers::new(["tenant-*", "quarantine", "*-é"]).unwrap();
        for name in ["tenant-", "tenant-acme", "tenant-a*b", "quarantine", "x-é"] {
            assert!(allowed.allows(name), "{name}");
        }
        for name in [
            "",
            "tenant",
            "Tenant-acme",
            "a tenant-b",
            "quarantine ",
            "x-e",
        ] {
            assert!(!allowed.allows(name), "{name}");
        }
        assert_eq!(allowed.to_string(), "tenant-*, quarantine, *-é");
    }

    #[test]
    fn invalid_patterns_name_the_remedy() {
        let error = |patterns: &[&str]| {
            let made = AllowedTracers::new(patterns.iter().copied());
            made.unwrap_err().to_string()
        };
        assert!(error(&[]).contains("the list is empty"));
        assert!(error(&["a", ""]).contains("must not be empty"));
        assert!(error(&[&"x".repeat(257)]).contains("257 bytes"));
        let reserved = error(&["tenant-?"]);
        assert!(reserved.contains("\"tenant-?\" contains '?'"), "{reserved}");
        assert!(error(&["tenant-{a,b}"]).contains("the only wildcard is `*`"));
        assert!(error(&["a\nb"]).contains("\"a\\nb\""));
        assert!(error(&["a"; 1_025]).contains("1024"));
    }
}
