//! Rhai: a compiled script, a reused scope, and a custom type whose properties look up keys on
//! demand.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use rhai::{AST, Engine as Machine, ImmutableString, Scope};

use crate::engines::{Engine, Row};
use crate::questions::{Case, KEYS, Question, tracer};

const ONE_KEY: &str = r#"
    let environment = context.environment;
    if environment == "production" { "langfuse" }
    else if environment == "staging" { "datadog" }
    else { "console" }"#;
const FOUR_KEYS: &str = r#"
    if !(context.tenant in ["acme", "globex", "initech", "umbrella", "hooli"]) { "console" }
    else if context.tier == "enterprise" { "langfuse" }
    else if context.region.starts_with("eu-") { "datadog" }
    else if context.environment == "production" { "langfuse" }
    else { "console" }"#;

#[derive(Clone)]
struct Keys(Arc<HashMap<String, String>>);

struct Rhai {
    machine: Machine,
    script: AST,
    scope: Scope<'static>,
    empty: usize,
}

impl Rhai {
    fn new(question: Question) -> Result<Self> {
        let mut machine = Machine::new();
        machine.register_type_with_name::<Keys>("Context");
        for key in KEYS {
            machine.register_get(key, move |keys: &mut Keys| -> ImmutableString {
                keys.0.get(key).map_or("", String::as_str).into()
            });
        }
        let source = match question {
            Question::OneKey => ONE_KEY,
            Question::FourKeys => FOUR_KEYS,
        };
        let script = machine
            .compile(source)
            .map_err(|error| anyhow!("{error}"))?;
        let scope = Scope::new();
        Ok(Self {
            machine,
            script,
            empty: scope.len(),
            scope,
        })
    }
}

impl Engine for Rhai {
    fn decide(&mut self, case: &Case) -> usize {
        self.scope.rewind(self.empty);
        self.scope.push("context", Keys(case.entries.clone()));
        self.machine
            .eval_ast_with_scope::<ImmutableString>(&mut self.scope, &self.script)
            .map_or(usize::MAX, |name| tracer(&name))
    }
}

pub fn row(question: Question) -> Row {
    Row::new("Rhai", "own type, compiled script", move || {
        Rhai::new(question)
    })
}
