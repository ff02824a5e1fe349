//! A list of tracers, for which a policy decides.

use std::sync::Arc;

use napi::bindgen_prelude::Function;
use napi::{Env, Result};
use napi_derive::napi;
use spanmux_core::RootSpan;
use spanmux_embed::Tracers;

use crate::asked::{self, NativeKeys};
use crate::context::Facts;
use crate::decision::NativeDecision;
use crate::selector::{Answer, with_answers};

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

    /// Returns a function that decides from learned decisions. Its arguments are the values of the
    /// asked keys, in order. It returns the number of the decision, or a negative number if the whole
    /// context is needed.
    #[napi]
    pub fn recalling<'env>(
        &self,
        env: &'env Env,
        asked: NativeKeys,
    ) -> Result<Function<'env, (), i32>> {
        asked::recalling(env, Arc::clone(&self.tracers), asked)
    }
}
