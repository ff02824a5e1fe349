//! How often a component is run.

/// How a component selector comes to its decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// It runs for what was not seen before, in a fresh sandbox, and what it decides
    /// is learned. For every selector that is a function of its context, which a
    /// component cannot help being.
    #[default]
    Cached,
    /// It runs for each decision, in a fresh sandbox.
    Fresh,
    /// It runs for each decision, one at a time, in a sandbox that is kept, and may
    /// remember what it likes: to take turns, or to count. It is started afresh when
    /// a decision was stopped: by a trap, or by a limit. A host has room for
    /// [`Limits::STATEFUL`](crate::Limits::STATEFUL) of them.
    Stateful,
}
