//! zen-expression: a compiled expression, a reused machine, and a scope with the keys that the
//! expression names.

use anyhow::{Context as _, Result};
use zen_expression::expression::Standard;
use zen_expression::variable::Variable;
use zen_expression::vm::VM;
use zen_expression::{Expression, Scope, compile_expression};

use crate::engines::{Engine, Row};
use crate::questions::{Case, Question, tracer};

const ONE_KEY: &str = r#"
    environment == "production" ? "langfuse" : environment == "staging" ? "datadog" : "console""#;
const FOUR_KEYS: &str = r#"
    not(tenant in ["acme", "globex", "initech", "umbrella", "hooli"]) ? "console"
    : tier == "enterprise" ? "langfuse"
    : startsWith(region, "eu-") ? "datadog"
    : environment == "production" ? "langfuse" : "console""#;

struct Zen {
    expression: Expression<Standard>,
    machine: VM,
    scope: Scope,
    keys: &'static [&'static str],
}

impl Zen {
    fn new(question: Question) -> Result<Self> {
        let source = match question {
            Question::OneKey => ONE_KEY,
            Question::FourKeys => FOUR_KEYS,
        };
        Ok(Self {
            expression: compile_expression(source).context("the expression")?,
            machine: VM::new(),
            scope: Scope::new(Variable::empty_object()),
            keys: question.keys(),
        })
    }
}

impl Engine for Zen {
    fn decide(&mut self, case: &Case) -> usize {
        for key in self.keys {
            let value = Variable::String(case.text(key).into());
            self.scope.set_local((*key).into(), value);
        }
        let answer = self
            .expression
            .evaluate_with_scope(&self.scope, &mut self.machine);
        answer.map_or(usize::MAX, |answer| {
            answer.as_str().map_or(usize::MAX, tracer)
        })
    }
}

pub fn row(question: Question) -> Row {
    Row::new("zen-expression", "needed keys", move || Zen::new(question))
}
