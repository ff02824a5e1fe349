//! JavaScript functions as selectors.
//!
//! TypeScript calls the functions before the decision and hands their answers over, so no JavaScript
//! runs while this module decides: an exception, a deep stack or the end of a worker stays on that
//! side.

use std::cell::RefCell;

use napi_derive::napi;
use spanmux_core::{Choice, ContextView, Selector, TracerNames};

/// The answer of a function. Without a name and a failure, it abstains.
#[napi(object, object_to_js = false)]
pub struct Answer {
    pub name: Option<String>,
    pub failed: Option<String>,
}

/// A function of the application, by its position among them.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) place: usize,
}

thread_local! {
    /// The answers for the decision on this thread.
    static ANSWERS: RefCell<Vec<Answer>> = const { RefCell::new(Vec::new()) };
}

/// Makes a decision for which the functions have given these answers.
pub(crate) fn with_answers<R>(answers: Vec<Answer>, decide: impl FnOnce() -> R) -> R {
    ANSWERS.set(answers);
    decide()
}

impl Selector for Function {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&self, _: &ContextView<'_>, tracers: &TracerNames) -> Choice {
        ANSWERS.with_borrow(|answers| match answers.get(self.place) {
            None => Choice::failed("the function was not called"),
            Some(Answer {
                failed: Some(message),
                ..
            }) => Choice::failed(message.as_str()),
            Some(Answer {
                name: Some(name), ..
            }) => tracers.choose(name),
            Some(_) => Choice::Abstain,
        })
    }
}
