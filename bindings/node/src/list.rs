//! A list of tracers, for which a policy decides.

use std::sync::Arc;

use napi::bindgen_prelude::Unknown;
use napi_derive::napi;
use spanmux_core::{ContextView, RootSpan};
use spanmux_embed::Tracers;

use crate::asked::{AskedFacts, KeyList, NativeKeys};
use crate::context::Facts;
use crate::decision::NativeDecision;
use crate::selector::{Answer, with_answers};

/// The decision is not learned, or the whole context is needed.
const UNKNOWN: i32 = -1;

/// The root span that is about to start.
#[napi(object, object_to_js = false)]
pub struct NativeSpan {
    pub name: String,
    pub kind: String,
    pub attributes: Option<Facts>,
}

/// A list of tracers of a policy.
#[napi]
pub struct TracerList {
    pub(crate) tracers: Arc<Tracers>,
}

#[napi]
impl TracerList {
    /// Decides one trace, for which the functions of the policy have given these answers.
    #[napi]
    pub fn decide(
        &self,
        facts: Facts,
        span: Option<NativeSpan>,
        answers: Vec<Answer>,
    ) -> NativeDecision {
        let context = facts.context();
        let span = span.map(|span| {
            let attributes = span.attributes.map(Facts::attributes);
            (span.name, span.kind, attributes.unwrap_or_default())
        });
        let selection = with_answers(answers, || match &span {
            Some((name, kind, attributes)) => {
                let span = RootSpan::with_attributes(name, kind, attributes);
                self.tracers.select(&context.view_with_span(&span))
            }
            None => self.tracers.select(&context.view()),
        });
        NativeDecision::new(&self.tracers, &selection)
    }

    /// Returns the keys that learned decisions ask, or `None` if they may ask any key.
    #[napi]
    pub fn asked_keys(&self) -> Option<NativeKeys> {
        let asked = self.tracers.asked_keys()?;
        Some(NativeKeys {
            generation: asked.generation as f64,
            keys: asked.keys,
        })
    }

    /// Decides one trace from learned decisions. The arguments after `keys` are the values of the
    /// asked keys, in order. Returns the number of the decision, or a negative number if the
    /// whole context is needed.
    #[napi]
    #[allow(clippy::too_many_arguments)] // An array would take one call of the engine per value.
    pub fn recall(
        &self,
        keys: &KeyList,
        a: Unknown<'_>,
        b: Unknown<'_>,
        c: Unknown<'_>,
        d: Unknown<'_>,
        e: Unknown<'_>,
        f: Unknown<'_>,
        g: Unknown<'_>,
        h: Unknown<'_>,
    ) -> i32 {
        let Ok(facts) = AskedFacts::read(keys, [a, b, c, d, e, f, g, h]) else {
            return UNKNOWN;
        };
        let view = ContextView::over(&facts, None);
        let selection = self.tracers.recall_asked(keys.generation, &view);
        let number = selection.and_then(|selection| self.tracers.number_of(&selection));
        number.map_or(UNKNOWN, |(_, number)| {
            i32::try_from(number).unwrap_or(UNKNOWN)
        })
    }
}
