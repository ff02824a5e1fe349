//! Shared parts of the suites: guests from their text, hosts with limits for tests, and decisions
//! in one call.

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

/// The default tracers of a decision.
pub const TRACERS: [&str; 3] = ["langfuse", "datadog", "console"];

/// The default limits with a very long wall-clock limit, so that a busy machine does not affect
/// decisions: only counted limits end them. Selectors are never suspended, so that every failing
/// decision runs.
pub fn limits() -> Limits {
    Limits::default()
        .wall_clock(Duration::from_secs(600))
        .admission_wait(Duration::from_secs(600))
        .sandboxes(4)
        // Each guest is compiled once.
        .engines(1)
        .suspend_after(0)
}

/// Creates a host with these limits.
pub fn host_within(limits: Limits) -> SelectorHost {
    SelectorHost::new(limits).expect("a host")
}

/// Creates a host with [`limits`].
pub fn host() -> SelectorHost {
    host_within(limits())
}

/// Assembles a component from its text.
pub fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text of a component")
}

/// Returns the text of a guest by its directory and name.
pub fn text(folder: &str, name: &str) -> String {
    let path = folder_of(folder).join(name).with_added_extension("wat");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the path of a directory of this crate.
pub fn folder_of(folder: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder)
}

/// Returns a well-behaved guest: a file in `guests/`.
pub fn guest(name: &str) -> Vec<u8> {
    component(&text("guests", name))
}

/// Returns a member of the zoo: a file in `zoo/`.
pub fn zoo(name: &str) -> Vec<u8> {
    component(&text("zoo", name))
}

/// Loads a guest that must load. It runs for each decision: the tests examine the guest and not its
/// cache.
pub fn load(host: &SelectorHost, name: &str, bytes: &[u8]) -> ComponentSelector {
    let loaded = host.load(name, bytes);
    let selector = loaded.unwrap_or_else(|error| panic!("{name} is not loaded: {error}"));
    selector.with_mode(Mode::Fresh)
}

/// Decides once with a component from its text, [`limits`] and [`TRACERS`].
pub fn select(text: &str, context: &RuntimeContext) -> Decision {
    decide(&load(&host(), "guest", &component(text)), context)
}

/// Decides once with [`TRACERS`].
pub fn decide(selector: &dyn Selector, context: &RuntimeContext) -> Decision {
    selector.decision(&context.view(), &TracerNames::new(TRACERS))
}

/// Returns the failure of a decision.
pub fn fallback(decision: &Decision) -> Option<&Fallback> {
    match &decision.choice {
        Choice::Fallback(fallback) => Some(fallback),
        _ => None,
    }
}

/// Returns `true` if a decision chose this one of [`TRACERS`].
pub fn chose(decision: &Decision, tracer: &str) -> bool {
    decision.choice == TracerNames::new(TRACERS).choose(tracer)
        && matches!(decision.choice, Choice::Tracer(_))
}

/// Returns the fuel that a decision consumed.
pub fn fuel(decision: &Decision) -> u64 {
    match decision.origin {
        Origin::Run(cost) => cost.fuel,
        other => panic!("no component ran: {other:?}"),
    }
}

/// Returns a context with the key `environment`.
pub fn environment(name: &str) -> RuntimeContext {
    RuntimeContext::builder().set("environment", name).build()
}

/// Returns the number of threads of this process with this name, if the system reports it.
pub fn threads_named(name: &str) -> Option<usize> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let named = |task: std::io::Result<std::fs::DirEntry>| {
        let comm = task.ok()?.path().join("comm");
        (std::fs::read_to_string(comm).ok()?.trim() == name).then_some(())
    };
    Some(tasks.filter_map(named).count())
}

/// Returns the resident memory of this process in bytes, if the system reports it.
pub fn resident_bytes() -> Option<usize> {
    const PAGE: usize = 4096;
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(pages.split_whitespace().nth(1)?.parse::<usize>().ok()? * PAGE)
}

/// Returns the reserved address space of this process in bytes, if the system reports it.
pub fn address_bytes() -> Option<usize> {
    const PAGE: usize = 4096;
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(pages.split_whitespace().next()?.parse::<usize>().ok()? * PAGE)
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
        Tenants = "docs/guide/tenants.md";
    }
}
