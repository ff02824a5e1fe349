//! Baggage as a source of runtime context keys, and as a carrier of the selected tracer.

use std::borrow::Cow;

use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt as _};

use super::attributes;
use spanmux_core::RuntimeContext;

/// Returns `run` with those of `keys` that it lacks and the baggage contains.
///
/// If the result exceeds the limits of a runtime context, the baggage is ignored, because
/// the application's own values take precedence.
pub(super) fn fill<'a>(
    run: Cow<'a, RuntimeContext>,
    keys: &[String],
    baggage: &Baggage,
) -> Cow<'a, RuntimeContext> {
    if baggage.is_empty() {
        return run;
    }
    let view = run.view();
    let new = keys.iter().filter(|key| !view.contains(key));
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
            tracing::debug!(%error, "ignoring baggage that does not fit into the runtime context");
            run
        }
    }
}

/// The baggage entry that carries the selected tracer.
pub(super) const MEMBER: &str = attributes::TRACER;

/// Returns the encoded name of a tracer in the baggage.
pub(super) fn tracer(context: &Context) -> Option<&str> {
    context.baggage().get(MEMBER).map(|name| name.as_str())
}

/// Returns the baggage with this encoded name, replacing any other. `None` removes the
/// entry.
pub(super) fn with_tracer(old: &Baggage, encoded: Option<&str>) -> Baggage {
    let others = old.iter().filter(|(key, _)| key.as_str() != MEMBER);
    let others = others.map(|(key, value)| (key.clone(), value.clone()));
    // First, because a baggage that is full takes no more.
    let ours = encoded.map(|name| (MEMBER.into(), (name.to_owned().into(), "".into())));
    ours.into_iter().chain(others).collect()
}
