//! CEL: a compiled program, and a resolver that returns the text of a key on demand.

use std::sync::Arc;

use anyhow::Result;
use cel::common::types::CelString;
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use cel::{Context, Env, Program, Value};

use crate::engines::{Engine, Row};
use crate::questions::{Case, Question, tracer};

const ONE_KEY: &str = r#"
    environment == "production" ? "langfuse" : environment == "staging" ? "datadog" : "console""#;
const FOUR_KEYS: &str = r#"
    !(tenant in ["acme", "globex", "initech", "umbrella", "hooli"]) ? "console"
    : tier == "enterprise" ? "langfuse"
    : region.startsWith("eu-") ? "datadog"
    : environment == "production" ? "langfuse" : "console""#;

struct Cel {
    environment: Arc<Env>,
    program: Program,
}

/// Borrows, so that comparisons do not copy text.
struct Keys<'a>(&'a Case);

impl VariableResolver for Keys<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let text = self.0.entries.get(variable)?.as_str();
        Some(CowVal::owned(CelString::from(text)))
    }
}

impl Cel {
    fn new(question: Question) -> Result<Self> {
        let environment = Arc::new(Env::stdlib());
        let program = environment.compile(match question {
            Question::OneKey => ONE_KEY,
            Question::FourKeys => FOUR_KEYS,
        })?;
        Ok(Self {
            environment,
            program,
        })
    }
}

impl Engine for Cel {
    fn decide(&mut self, case: &Case) -> usize {
        let keys = Keys(case);
        let mut context = Context::with_env(self.environment.clone());
        context.set_variable_resolver(&keys);
        match self.program.execute(&context) {
            Ok(Value::String(name)) => tracer(&name),
            _ => usize::MAX,
        }
    }
}

pub fn row(question: Question) -> Row {
    Row::new("CEL", "lazy resolver", move || Cel::new(question))
}
