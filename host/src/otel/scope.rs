//! Instrumentation scopes, and the SDK's tracers for them.

use std::borrow::Cow;
use std::hash::BuildHasher as _;
use std::sync::{Arc, OnceLock};

use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::trace::SdkTracer;

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

/// For how many instrumentation scopes an `SdkTracer` is kept. A scope is a
/// library, so there are few; a program that makes them up must not fill memory.
const MAX_KEPT: usize = 64;

/// The SDK's tracers of one provider by scope: a list that only grows, so that it
/// is read without a lock and without counting a reference.
#[derive(Debug, Default)]
pub(super) struct ScopedTracers {
    first: OnceLock<Box<Kept>>,
}

#[derive(Debug)]
struct Kept {
    scope: Arc<Scope>,
    tracer: SdkTracer,
    next: OnceLock<Box<Kept>>,
}

impl ScopedTracers {
    /// The tracer of a scope, made if it is not there. Owned if no more are kept.
    ///
    /// # Cost
    /// One comparison of numbers for each scope that came before.
    pub(super) fn get_or_add(
        &self,
        scope: &Arc<Scope>,
        make: impl Fn() -> SdkTracer,
    ) -> Cow<'_, SdkTracer> {
        let mut place = &self.first;
        for _ in 0..MAX_KEPT {
            if place.get().is_none() {
                // If another thread is first, its tracer is looked at next.
                let _ = place.set(Kept::new(scope.clone(), make()));
            }
            match place.get() {
                Some(kept) if kept.scope == *scope => return Cow::Borrowed(&kept.tracer),
                Some(kept) => place = &kept.next,
                None => break,
            }
        }
        Cow::Owned(make())
    }
}

impl Kept {
    fn new(scope: Arc<Scope>, tracer: SdkTracer) -> Box<Self> {
        Box::new(Self {
            scope,
            tracer,
            next: OnceLock::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::KeyValue;
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    #[test]
    fn tracers_are_kept_by_scope_and_not_without_end() {
        let provider = SdkTracerProvider::default();
        let tracers = ScopedTracers::default();
        let scope = |number: usize| {
            let scope = InstrumentationScope::builder("shop").with_version("1");
            let number = KeyValue::new("number", i64::try_from(number).unwrap_or_default());
            Arc::new(Scope::new(scope.with_attributes([number]).build()))
        };
        let kept = |number| {
            let scope = scope(number);
            let make = || provider.tracer_with_scope(scope.named().clone());
            let found = tracers.get_or_add(&scope, make);
            // A tracer prints its scope's name alone, so its address tells.
            matches!(found, Cow::Borrowed(_)).then(|| std::ptr::from_ref(&*found).addr())
        };
        let first: Vec<_> = (0..MAX_KEPT + 2).map(kept).collect();
        assert_eq!(first.iter().flatten().count(), MAX_KEPT);
        assert_eq!((0..MAX_KEPT + 2).map(kept).collect::<Vec<_>>(), first);
        let mut distinct = first;
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), MAX_KEPT + 1, "and none for those beyond");
    }
}
