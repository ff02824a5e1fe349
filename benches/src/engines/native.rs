//! Native code with the same look-ups, as the baseline of the comparison.

use crate::engines::{Engine, Row};
use crate::questions::{Case, Question, tracer};

/// Reads the view that Spanmux's own selectors use.
struct OverView(Question);

impl Engine for OverView {
    fn decide(&mut self, case: &Case) -> usize {
        let view = case.view();
        tracer(self.0.answer(|key| view.text(key)))
    }
}

/// Reads a map of the standard library.
struct OverMap(Question);

impl Engine for OverMap {
    fn decide(&mut self, case: &Case) -> usize {
        let text = |key: &str| case.entries.get(key).map(String::as_str);
        tracer(self.0.answer(text))
    }
}

pub fn rows(question: Question) -> Vec<Row> {
    vec![
        Row::new("native", "closure over a context view", move || {
            Ok(OverView(question))
        }),
        Row::new("native", "closure over a std HashMap", move || {
            Ok(OverMap(question))
        }),
    ]
}
