//! An instrumentation scope with its hash.

use std::hash::BuildHasher as _;

use opentelemetry::InstrumentationScope;

/// An instrumentation scope with its hash, which is computed once instead of for each
/// span. Equal scopes have equal hashes, regardless of their creator.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scope {
    hash: u64,
    scope: InstrumentationScope,
}

impl Scope {
    pub(super) fn new(scope: InstrumentationScope) -> Self {
        Self {
            // A fixed seed, because tracers and providers are combined arbitrarily.
            // Scopes are created by libraries, and few are kept.
            hash: foldhash::fast::FixedState::default().hash_one(&scope),
            scope,
        }
    }

    pub(super) fn named(&self) -> &InstrumentationScope {
        &self.scope
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::sync::Arc;

    use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

    use super::super::append_list::MAX_KEPT;
    use super::super::otel_tracer::OtelTracer;
    use super::*;

    fn scope(name: &str) -> Arc<Scope> {
        Arc::new(Scope::new(
            InstrumentationScope::builder(name.to_owned()).build(),
        ))
    }

    fn kept<'a>(tracer: &'a OtelTracer, name: &str) -> Option<&'a SdkTracer> {
        match tracer.scoped(&scope(name)) {
            Cow::Borrowed(tracer) => Some(tracer),
            Cow::Owned(_) => None,
        }
    }

    #[test]
    fn sdk_tracer_of_a_scope_is_created_once() {
        let tracer = OtelTracer::new(SdkTracerProvider::default());
        let address = |name: &str| kept(&tracer, name).map(std::ptr::from_ref);
        let first = address("shop");
        assert!(first.is_some());
        assert_ne!(address("other"), first);
        // Only a limited number of scopes is kept, to bound memory.
        for number in 0..MAX_KEPT {
            let _ = address(&number.to_string());
        }
        assert_eq!(address("one more"), None);
        assert_eq!(address("shop"), first);
    }
}
