//! A selector with an allow-list.

use std::sync::Arc;

use crate::allowed_tracers::{AllowedTracers, Restriction};
use crate::cache_slot::CacheSlot;
use crate::context::ContextView;
use crate::decision::{Choice, CompactDecision, Suspension};
use crate::decision_cache::Tree;
use crate::explanation::{Explanation, Outcome, Step, Transcript};
use crate::selector::{Sealed, Selector};
use crate::tracer_names::TracerNames;

impl AllowedTracers {
    /// Restricts a selector to these tracers. A selector that is restricted already may choose the
    /// tracers that all of its lists allow.
    pub fn restrict(&self, selector: Arc<dyn Selector>) -> Arc<dyn Selector> {
        let restriction = Arc::new(Restriction {
            selector: selector.name().into(),
            allowed: self.clone(),
        });
        Arc::new(Restricted {
            selector,
            restriction,
        })
    }
}

/// Applies the allow-list to every answer of the selector, fresh or cached, and to everything that
/// describes its answers. The chain applies it to the answers that it learns from the selector's
/// tree: they reach it through the cache slot.
struct Restricted {
    selector: Arc<dyn Selector>,
    restriction: Arc<Restriction>,
}

impl Selector for Restricted {
    fn name(&self) -> &str {
        self.selector.name()
    }

    fn digest(&self) -> Option<&str> {
        self.selector.digest()
    }

    fn allowed_tracers(&self) -> Vec<&AllowedTracers> {
        let mut lists = self.selector.allowed_tracers();
        lists.push(&self.restriction.allowed);
        lists
    }

    fn decide(&self, context: &ContextView<'_>, tracers: &TracerNames) -> Choice {
        let choice = self.selector.decide(context, tracers);
        let refused = self.restriction.refuse(&choice, tracers);
        refused.unwrap_or(choice)
    }

    fn suspension(&self) -> Option<Suspension> {
        self.selector.suspension()
    }

    fn explanation(&self, tracers: &TracerNames) -> Option<Explanation> {
        let mut explanation = self.selector.explanation(tracers)?;
        if let Some(tree) = &mut explanation.tree {
            self.describe(tree, tracers);
        }
        Some(explanation)
    }

    fn transcript(&self, context: &ContextView<'_>, tracers: &TracerNames) -> Option<Transcript> {
        let mut transcript = self.selector.transcript(context, tracers)?;
        let choice = &mut transcript.decision.choice;
        if let Some(refused) = self.restriction.refuse(choice, tracers) {
            *choice = refused;
        }
        Some(transcript)
    }

    fn cache_slot(&self, tracers: &TracerNames, sealed: Sealed) -> CacheSlot {
        let slot = self.selector.cache_slot(tracers, sealed);
        slot.restricted_to(self.restriction.clone())
    }

    #[inline]
    fn decide_in(
        &self,
        slot: &CacheSlot,
        context: &ContextView<'_>,
        tracers: &TracerNames,
        sealed: Sealed,
    ) -> CompactDecision {
        let decision = self.selector.decide_in(slot, context, tracers, sealed);
        self.restriction.apply(decision, tracers)
    }

    #[inline]
    fn recall_in(
        &self,
        slot: &CacheSlot,
        context: &ContextView<'_>,
        tracers: &TracerNames,
        sealed: Sealed,
    ) -> Option<CompactDecision> {
        let decision = self.selector.recall_in(slot, context, tracers, sealed)?;
        Some(self.restriction.apply(decision, tracers))
    }

    fn tree_in<'s>(
        &self,
        slot: &'s CacheSlot,
        tracers: &TracerNames,
        sealed: Sealed,
    ) -> Option<&'s Tree> {
        self.selector.tree_in(slot, tracers, sealed)
    }
}

impl Restricted {
    /// Replaces the refused outcomes of a tree. Recurses as deep as the tree, whose paths are
    /// bounded.
    fn describe(&self, step: &mut Step, tracers: &TracerNames) {
        match step {
            Step::Asks(_, edges) => {
                for edge in edges {
                    self.describe(&mut edge.then, tracers);
                }
            }
            Step::Decides(outcome, _) => {
                let refused = match &*outcome {
                    Outcome::Tracer(name) => self.restriction.refuse_name(name),
                    unknown => unknown
                        .unknown_tracer()
                        .and_then(|name| self.restriction.refuse_name(&unescape(name))),
                };
                if let Some(refused) = refused {
                    *outcome = Outcome::of(&refused, tracers);
                }
            }
        }
    }
}

/// Reverses `str::escape_debug`, with which an outcome quotes an unknown name.
fn unescape(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            name.push(character);
            continue;
        }
        match rest.next() {
            Some('n') => name.push('\n'),
            Some('r') => name.push('\r'),
            Some('t') => name.push('\t'),
            Some('0') => name.push('\0'),
            Some('u') => {
                let digits: String = rest.by_ref().take_while(|it| *it != '}').skip(1).collect();
                let number = u32::from_str_radix(&digits, 16).ok();
                name.extend(number.and_then(char::from_u32));
            }
            other => name.extend(other),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use super::*;
    use crate::decision::{Fallback, Origin};
    use crate::selector::selector_fn;
    use crate::{Cause, RuntimeContext};

    #[test]
    fn unescape_reverses_escape_debug() {
        for name in [
            "a",
            "a\"b'c\\d",
            "\n\r\t\0\u{1b}",
            "é\u{301}\u{202e}漢",
            "\u{301}x",
        ] {
            assert_eq!(unescape(&name.escape_debug().to_string()), name);
        }
    }

    #[test]
    fn answer_that_is_not_allowed_is_refused_and_named() {
        let echo = selector_fn("echo", |context, tracers| match context.text("name") {
            Some(name) => tracers.choose(name),
            None => Choice::Abstain,
        });
        let allowed = AllowedTracers::new(["tenant-*"]).unwrap();
        let selector = allowed.restrict(Arc::new(echo));
        let tracers = TracerNames::new(["default", "tenant-a"]);
        let decide = |name: &str| {
            let context = RuntimeContext::builder().set("name", name).build();
            let decision = selector.decision(&context.view(), &tracers);
            assert_eq!(decision.choice, selector.decide(&context.view(), &tracers));
            assert_eq!(decision.origin, Origin::Native);
            decision.choice
        };
        assert_eq!(decide("tenant-a"), tracers.choose("tenant-a"));
        // Allowed, but not registered.
        assert_eq!(decide("tenant-b"), tracers.choose("tenant-b"));
        for name in ["default", "elsewhere", "Tenant-a"] {
            let Choice::Fallback(refused) = decide(name) else {
                panic!("{name} is not allowed");
            };
            assert_eq!(refused.cause(), Cause::ForbiddenTracer);
            let expected = format!("the selector \"echo\" may not choose the tracer \"{name}\"");
            assert_eq!(refused.to_string(), expected);
        }
        let context = RuntimeContext::empty();
        assert_eq!(selector.decide(&context.view(), &tracers), Choice::Abstain);
    }

    #[test]
    fn second_list_narrows_the_first() {
        let eu = selector_fn("eu", |_, tracers| tracers.choose("tenant-eu"));
        let us = selector_fn("us", |_, tracers| tracers.choose("tenant-us"));
        let tenants = AllowedTracers::new(["tenant-*"]).unwrap();
        let europe = AllowedTracers::new(["*-eu"]).unwrap();
        let tracers = TracerNames::new(["tenant-eu", "tenant-us"]);
        let context = RuntimeContext::empty();
        let decide = |selector| {
            let selector = europe.restrict(tenants.restrict(selector));
            assert_eq!(selector.allowed_tracers(), [&tenants, &europe]);
            selector.decide(&context.view(), &tracers)
        };
        assert_eq!(decide(Arc::new(eu)), tracers.choose("tenant-eu"));
        let refused = Fallback::ForbiddenTracer {
            selector: "us".to_owned(),
            tracer: "tenant-us".to_owned(),
        };
        assert_eq!(decide(Arc::new(us)), Choice::Fallback(refused));
    }
}
