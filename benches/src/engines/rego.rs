//! Rego (regorus): a policy compiled for its virtual machine, which is reused. It cannot read keys
//! on demand, so its input is built for each decision or prepared.

use std::sync::Arc;

use anyhow::Result;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine as Policies, Value};

use crate::engines::{Engine, Row};
use crate::questions::{Case, Question, tracer};

const ONE_KEY: &str = r#"
    package route
    default tracer := "console"
    tracer := "langfuse" if input.environment == "production"
    else := "datadog" if input.environment == "staging""#;
const FOUR_KEYS: &str = r#"
    package route
    default tracer := "console"
    tracer := "console" if not input.tenant in {"acme", "globex", "initech", "umbrella", "hooli"}
    else := "langfuse" if input.tier == "enterprise"
    else := "datadog" if startswith(input.region, "eu-")
    else := "langfuse" if input.environment == "production""#;

struct Rego {
    machine: RegoVM,
    /// The prepared input, if it is not built for each decision.
    ready: Option<Value>,
    builds: bool,
}

impl Rego {
    fn new(question: Question, builds: bool) -> Result<Self> {
        let source = match question {
            Question::OneKey => ONE_KEY,
            Question::FourKeys => FOUR_KEYS,
        };
        let entry = "data.route.tracer";
        let mut policies = Policies::new();
        policies.add_policy("route.rego".to_owned(), source.to_owned())?;
        let compiled = policies.compile_with_entrypoint(&entry.into())?;
        let program = Compiler::compile_from_policy(&compiled, &[entry])?;
        let mut machine = RegoVM::new();
        machine.load_program(Arc::clone(&program));
        Ok(Self {
            machine,
            ready: None,
            builds,
        })
    }
}

fn input(case: &Case) -> Value {
    let entries = case.entries.iter();
    let pairs = entries.map(|(key, value)| (Value::from(key.as_str()), value.as_str().into()));
    Value::from(pairs.collect::<std::collections::BTreeMap<Value, Value>>())
}

impl Engine for Rego {
    fn prepare(&mut self, case: &Case) {
        self.ready = (!self.builds).then(|| input(case));
    }

    fn decide(&mut self, case: &Case) -> usize {
        let input = self.ready.clone().unwrap_or_else(|| input(case));
        self.machine.set_input(input);
        match self.machine.execute() {
            Ok(Value::String(name)) => tracer(&name),
            _ => usize::MAX,
        }
    }
}

pub fn rows(question: Question) -> [Row; 2] {
    [
        Row::new("Rego", "input ready-made", move || {
            Rego::new(question, false)
        }),
        Row::new("Rego", "input built each time", move || {
            Rego::new(question, true)
        }),
    ]
}
