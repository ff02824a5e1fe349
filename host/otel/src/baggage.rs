//! Baggage: keys of the runtime context that it fills, and the choice in it.

use std::borrow::Cow;

use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt as _};

use super::attributes;
use spanmux_core::RuntimeContext;

/// `run` with those of `keys` that the baggage has and it has not.
///
/// Baggage that does not fit beside it is left out, because what the application
/// says itself counts more.
pub(super) fn fill<'a>(
    run: Cow<'a, RuntimeContext>,
    keys: &[String],
    baggage: &Baggage,
) -> Cow<'a, RuntimeContext> {
    if baggage.is_empty() {
        return run;
    }
    let view = run.view();
    let new = keys.iter().filter(|key| !view.has(key));
    let mut new = new
        .filter_map(|key| Some((key, baggage.get(key)?)))
        .peekable();
    if new.peek().is_none() {
        drop(new);
        return run;
    }
    let builder = new.fold(run.to_builder(), |builder, (key, value)| {
        builder.set(key, value.as_str())
    });
    match builder.try_build() {
        Ok(filled) => Cow::Owned(filled),
        Err(error) => {
            tracing::debug!(%error, "the baggage does not fit into the runtime context");
            run
        }
    }
}

/// The member by which baggage carries the choice.
const MEMBER: &str = attributes::TRACER;

/// The encoded name of a tracer in the baggage.
pub(super) fn tracer(context: &Context) -> Option<&str> {
    context.baggage().get(MEMBER).map(|name| name.as_str())
}

/// The context with this encoded name in its baggage, in place of another; without
/// one if there is none.
///
/// Its per cent signs are encoded once more, because the SDK's propagator does not
/// do it and every reader decodes them. So no name is trimmed, and it reads the same
/// after any number of processes.
pub(super) fn with_tracer(context: &Context, encoded: Option<&str>) -> Context {
    let old = context.baggage();
    let others = old.iter().filter(|(key, _)| key.as_str() != MEMBER);
    let others = others.map(|(key, value)| (key.clone(), value.clone()));
    let mut baggage: Baggage = others.collect();
    if let Some(encoded) = encoded {
        baggage.insert(MEMBER, encoded.replace('%', "%25"));
    }
    context.with_baggage(baggage)
}
