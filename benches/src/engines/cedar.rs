//! Cedar: one policy for each tracer, and a request with the keys that the policies name. The
//! permitting policy names the tracer.

use anyhow::Result;
use cedar_policy::{
    Authorizer, Context, Entities, EntityUid, Policy, PolicyId, PolicySet, Request,
    RestrictedExpression,
};

use crate::engines::{Engine, Row};
use crate::questions::{Case, Question, tracer};

const ONE_KEY: [(&str, &str); 3] = [
    ("langfuse", r#"context.environment == "production""#),
    ("datadog", r#"context.environment == "staging""#),
    (
        "console",
        r#"!(["production", "staging"].contains(context.environment))"#,
    ),
];
const LISTED: &str =
    r#"["acme", "globex", "initech", "umbrella", "hooli"].contains(context.tenant)"#;
const FOUR_KEYS: [(&str, &str); 3] = [
    (
        "langfuse",
        r#"LISTED && (context.tier == "enterprise"
            || (!(context.region like "eu-*") && context.environment == "production"))"#,
    ),
    (
        "datadog",
        r#"LISTED && context.tier != "enterprise" && context.region like "eu-*""#,
    ),
    (
        "console",
        r#"!LISTED || (context.tier != "enterprise" && !(context.region like "eu-*")
            && context.environment != "production")"#,
    ),
];

struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    uids: [EntityUid; 3],
    keys: &'static [&'static str],
}

impl Cedar {
    fn new(question: Question) -> Result<Self> {
        let mut policies = PolicySet::new();
        for (name, condition) in match question {
            Question::OneKey => ONE_KEY,
            Question::FourKeys => FOUR_KEYS,
        } {
            let condition = condition.replace("LISTED", LISTED);
            let source = format!("permit(principal, action, resource) when {{ {condition} }};");
            policies.add(Policy::parse(Some(PolicyId::new(name)), source)?)?;
        }
        Ok(Self {
            authorizer: Authorizer::new(),
            policies,
            entities: Entities::empty(),
            uids: [
                r#"Service::"shop""#,
                r#"Action::"route""#,
                r#"Trace::"new""#,
            ]
            .map(|uid| uid.parse().expect("a well-formed identifier")),
            keys: question.keys(),
        })
    }

    fn ask(&self, case: &Case) -> Result<usize> {
        let text = |key: &str| RestrictedExpression::new_string(case.text(key).to_owned());
        let pairs = self.keys.iter().map(|key| ((*key).to_owned(), text(key)));
        let context = Context::from_pairs(pairs)?;
        let [principal, action, resource] = self.uids.clone();
        let request = Request::new(principal, action, resource, context, None)?;
        let response = self
            .authorizer
            .is_authorized(&request, &self.policies, &self.entities);
        let name = response.diagnostics().reason().next();
        Ok(name.map_or(usize::MAX, |id| tracer(id.as_ref())))
    }
}

impl Engine for Cedar {
    fn decide(&mut self, case: &Case) -> usize {
        self.ask(case).unwrap_or(usize::MAX)
    }
}

pub fn row(question: Question) -> Row {
    Row::new("Cedar", "needed keys", move || Cedar::new(question))
}
