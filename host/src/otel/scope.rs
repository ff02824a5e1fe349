//! An instrumentation scope with its hash.

use std::hash::BuildHasher as _;

use opentelemetry::InstrumentationScope;

/// An instrumentation scope with its hash, which is taken once and not for each
/// span. The same for equal scopes, whoever made them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scope {
    hash: u64,
    scope: InstrumentationScope,
}

impl Scope {
    pub(super) fn new(scope: InstrumentationScope) -> Self {
        Self {
            // Not random, because tracers and providers meet in any combination.
            // Scopes are made by libraries, and few are kept.
            hash: foldhash::fast::FixedState::default().hash_one(&scope),
            scope,
        }
    }

    pub(super) fn named(&self) -> &InstrumentationScope {
        &self.scope
    }
}
