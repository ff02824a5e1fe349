//! What the suites share: guests from their text, hosts with limits for tests, and
//! one decision in one line.

pub mod bytes;
pub mod conformance;
pub mod fuzz;
pub mod kept;
pub mod log;
pub mod markdown;
pub mod named;
pub mod soak;

use std::path::PathBuf;
use std::time::Duration;

use spanmux::{
    Choice, ComponentSelector, Decision, Fallback, Limits, Mode, Origin, RuntimeContext, Selector,
    SelectorHost, TracerNames,
};

/// The tracers of every decision that does not say otherwise.
pub const TRACERS: [&str; 3] = ["langfuse", "datadog", "console"];

/// The default limits, with so much wall-clock time that no busy machine takes
/// part in a decision: what ends one in these suites is counted. Nothing is suspended,
/// so that each decision of one that breaks is a run.
pub fn limits() -> Limits {
    Limits::default()
        .wall_clock(Duration::from_secs(600))
        .admission_wait(Duration::from_secs(600))
        .sandboxes(4)
        // So that each guest is compiled once.
        .engines(1)
        .suspend_after(0)
}

/// A host within these limits.
pub fn host_within(limits: Limits) -> SelectorHost {
    SelectorHost::new(limits).expect("a host")
}

/// A host within [`limits`].
pub fn host() -> SelectorHost {
    host_within(limits())
}

/// The bytes of a component from its text.
pub fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text of a component")
}

/// The text of a guest, by its folder and its name.
pub fn text(folder: &str, name: &str) -> String {
    let path = folder_of(folder).join(name).with_added_extension("wat");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Where the files of a folder of this crate are.
pub fn folder_of(folder: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder)
}

/// A well-behaved guest: a file in `guests/`.
pub fn guest(name: &str) -> Vec<u8> {
    component(&text("guests", name))
}

/// A member of the zoo: a file in `zoo/`.
pub fn zoo(name: &str) -> Vec<u8> {
    component(&text("zoo", name))
}

/// Loads a guest that must load. It runs for each decision: what is looked at here
/// is what a guest does, and not what is known of it.
pub fn load(host: &SelectorHost, name: &str, bytes: &[u8]) -> ComponentSelector {
    let loaded = host.load(name, bytes);
    let selector = loaded.unwrap_or_else(|error| panic!("{name} is not loaded: {error}"));
    selector.with_mode(Mode::Fresh)
}

/// One decision of a component, from its text, with [`limits`] and [`TRACERS`].
pub fn select(text: &str, context: &RuntimeContext) -> Decision {
    decide(&load(&host(), "guest", &component(text)), context)
}

/// One decision with [`TRACERS`].
pub fn decide(selector: &dyn Selector, context: &RuntimeContext) -> Decision {
    selector.decision(&context.view(), &TracerNames::new(TRACERS))
}

/// What went wrong with a decision; none if nothing did.
pub fn fallback(decision: &Decision) -> Option<&Fallback> {
    match &decision.choice {
        Choice::Fallback(fallback) => Some(fallback),
        _ => None,
    }
}

/// Whether a decision chose this one of [`TRACERS`].
pub fn chose(decision: &Decision, tracer: &str) -> bool {
    decision.choice == TracerNames::new(TRACERS).choose(tracer)
        && matches!(decision.choice, Choice::Tracer(_))
}

/// The fuel that a decision burnt.
pub fn fuel(decision: &Decision) -> u64 {
    match decision.origin {
        Origin::Run(cost) => cost.fuel,
        other => panic!("no component ran: {other:?}"),
    }
}

/// A context that says one thing: `environment`.
pub fn environment(name: &str) -> RuntimeContext {
    RuntimeContext::builder().set("environment", name).build()
}

/// How many threads of this process have this name; none where the system does
/// not tell.
pub fn threads_named(name: &str) -> Option<usize> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let named = |task: std::io::Result<std::fs::DirEntry>| {
        let comm = task.ok()?.path().join("comm");
        (std::fs::read_to_string(comm).ok()?.trim() == name).then_some(())
    };
    Some(tasks.filter_map(named).count())
}

/// Bytes of memory that this process holds; none where the system does not tell.
pub fn resident_bytes() -> Option<usize> {
    const PAGE: usize = 4096;
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(pages.split_whitespace().nth(1)?.parse::<usize>().ok()? * PAGE)
}

/// The documents whose code blocks are compiled as doctests of this crate, with their paths from
/// the root of the repository. `suites/documents.rs` checks that no document is missing.
#[cfg(doctest)]
mod documents {
    macro_rules! compile {
        ($($name:ident = $path:literal;)*) => {
            $(
                #[doc = include_str!(concat!("../../", $path))]
                struct $name;
            )*
        };
    }

    compile! {
        Readme = "README.md";
        Agents = "docs/guide/agents.md";
        Configuration = "docs/guide/configuration.md";
        DecisionCache = "docs/guide/decision-cache.md";
        Deployment = "docs/guide/deployment.md";
        Embedding = "docs/guide/embedding.md";
        RuntimeContext = "docs/guide/runtime-context.md";
        Selectors = "docs/guide/selectors.md";
    }
}
