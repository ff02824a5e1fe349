//! Follows contexts through the tree of an explanation.

use spanmux_core::ContextView;
use spanmux_core::explanation::{Answer, Explanation, Question, Step};

/// An explanation that counts the contexts walked through it. The library's own counts are
/// samples.
pub struct Walk {
    /// The explanation with the counts.
    pub explanation: Explanation,
}

impl Walk {
    /// Starts with all counts at zero.
    pub fn new(mut explanation: Explanation) -> Self {
        forget_hits(explanation.tree.as_mut());
        explanation.hits = 0;
        Self { explanation }
    }

    /// Counts a context at its leaf. Returns `false` if the tree has no leaf for it.
    pub fn count(&mut self, view: &ContextView<'_>) -> bool {
        let mut step = self.explanation.tree.as_mut();
        while let Some(at) = step {
            match at {
                Step::Decides(_, hits) => {
                    *hits += 1;
                    self.explanation.hits += 1;
                    return true;
                }
                Step::Asks(question, edges) => {
                    let answer = question.answer(view);
                    let edge = edges.iter_mut().find(|edge| edge.answer.is(&answer));
                    step = edge.map(|edge| &mut edge.then);
                }
            }
        }
        false
    }
}

/// Resets the counts of all leaves.
pub(crate) fn forget_hits(tree: Option<&mut Step>) {
    let mut steps: Vec<&mut Step> = tree.into_iter().collect();
    while let Some(step) = steps.pop() {
        match step {
            Step::Asks(_, edges) => steps.extend(edges.iter_mut().map(|edge| &mut edge.then)),
            Step::Decides(_, hits) => *hits = 0,
        }
    }
}

/// Returns the questions and answers on the path of a context through a tree.
pub(crate) fn path(tree: &Step, view: &ContextView<'_>) -> Vec<(Question, Answer)> {
    path_and_end(tree, view).0
}

/// Returns the same path, or `None` if it does not reach a leaf.
pub fn whole_path(tree: &Step, view: &ContextView<'_>) -> Option<Vec<(Question, Answer)>> {
    let (path, end) = path_and_end(tree, view);
    end.map(|_| path)
}

fn path_and_end<'t>(
    tree: &'t Step,
    view: &ContextView<'_>,
) -> (Vec<(Question, Answer)>, Option<&'t Step>) {
    let mut path = Vec::new();
    let mut step = Some(tree);
    while let Some(Step::Asks(question, edges)) = step {
        let answer = question.answer(view);
        let edge = edges.iter().find(|edge| edge.answer.is(&answer));
        path.push((question.clone(), answer));
        step = edge.map(|edge| &edge.then);
    }
    (path, step)
}

#[cfg(test)]
mod tests {
    use spanmux_core::RuntimeContext;
    use spanmux_core::explanation::{Edge, Outcome};
    use spanmux_explain::Rules;

    use super::*;

    #[test]
    fn count_increments_the_leaf_of_each_context() {
        let decides = |outcome| Step::Decides(outcome, 99);
        let edge = |answer, then| Edge { answer, then };
        let region = Question::Bucket {
            key: "user".to_owned(),
            salt: "s".to_owned(),
            buckets: 1,
        };
        let tree = Step::Asks(
            Question::Get {
                key: "a".to_owned(),
            },
            vec![
                edge(Answer::Absent, decides(Outcome::Abstains)),
                edge(
                    Answer::Float(f64::NAN),
                    Step::Asks(
                        region,
                        vec![edge(Answer::Share(0), decides(Outcome::Abstains))],
                    ),
                ),
            ],
        );
        let mut walk = Walk::new(Explanation {
            selector: "s".to_owned(),
            digest: None,
            tracers: Vec::new(),
            tree: Some(tree.clone()),
            hits: 7,
            runs: 1,
            edges: 3,
            bytes: 0,
        });
        let empty = RuntimeContext::empty();
        let bucketed = RuntimeContext::builder().set("a", f64::NAN).set("user", 7);
        let bucketed = bucketed.build();
        let other = RuntimeContext::builder().set("a", "x").build();
        let counted = [&empty, &bucketed, &empty, &other].map(|c| walk.count(&c.view()));
        assert_eq!(counted, [true, true, true, false]);
        assert_eq!(walk.explanation.hits, 3);
        assert_eq!(Rules::new(&walk.explanation).hits, 3);
        assert_eq!(path(&tree, &bucketed.view()).len(), 2);
        assert_eq!(path(&tree, &other.view()).len(), 1);
        assert_eq!(whole_path(&tree, &other.view()), None);
        assert!(whole_path(&tree, &empty.view()).is_some());
    }
}
