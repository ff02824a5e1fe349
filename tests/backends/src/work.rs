//! The work of a run, and its spans.

use std::fmt;

use crate::plan::{Operation, PlannedSpan};

/// The first four use the library's agent. For the others, the service starts the spans itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Ask,
    AskStreamed,
    /// The library starts the root span too.
    AskAlone,
    Search,
    Agent,
    Workflow,
    HealthCheck,
}

impl Work {
    /// In the order in which runs use them. A health check is not among them: every context that
    /// asks for one gets it.
    pub const TURNS: [Self; 6] = [
        Self::Ask,
        Self::Workflow,
        Self::AskStreamed,
        Self::AskAlone,
        Self::Agent,
        Self::Search,
    ];

    /// Returns the name and the kind of its root span, which selectors may query.
    pub fn root(self) -> (&'static str, &'static str) {
        match self {
            Self::Ask | Self::AskStreamed => ("invoke_agent shop-assistant", "server"),
            Self::AskAlone => ("invoke_agent", "internal"),
            Self::Search => ("POST /search", "server"),
            Self::Agent => ("invoke_agent refunds", "internal"),
            Self::Workflow => ("invoke_workflow refund", "internal"),
            Self::HealthCheck => ("GET /healthz", "server"),
        }
    }

    /// Returns its spans.
    pub fn plan(self, run: u32) -> Vec<PlannedSpan> {
        use Operation::{Agent, Plain, Retrieval, Tool, Workflow};
        let of = PlannedSpan::new;
        let (first, second) = (PlannedSpan::chat(run, 0), PlannedSpan::chat(run, 1));
        let embedding = PlannedSpan::embedding(run);
        match self {
            Self::Ask | Self::AskStreamed => {
                vec![of(Agent), first, of(Tool), of(Tool), of(Plain), second]
            }
            Self::AskAlone => {
                // The library adds up the run on a root of its own.
                let mut agent = of(Agent);
                agent.usage = first.usage + second.usage;
                vec![agent, first, of(Tool), of(Tool), of(Plain), second]
            }
            Self::Search => {
                // The library reports zero output tokens.
                let mut embedding = embedding;
                embedding.usage.output = Some(0);
                vec![of(Plain), embedding]
            }
            Self::Agent => {
                let tools = [of(Tool), of(Plain), of(Tool), of(Plain)];
                [&[of(Agent), first, second][..], &tools].concat()
            }
            Self::Workflow => {
                let step = [of(Plain), of(Retrieval), embedding];
                let last = [of(Plain), of(Plain)];
                [&[of(Workflow), first, second][..], &step, &step, &last].concat()
            }
            Self::HealthCheck => vec![of(Plain)],
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ask => "rig agent",
            Self::AskStreamed => "rig agent, streamed",
            Self::AskAlone => "rig agent, its own root",
            Self::Search => "rig embedding",
            Self::Agent => "agent",
            Self::Workflow => "workflow",
            Self::HealthCheck => "health check",
        })
    }
}
