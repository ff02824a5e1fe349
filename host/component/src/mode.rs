//! The modes in which a component is run.

/// The way in which a component selector makes its decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Runs the component in a fresh instance if the decision is not cached, and caches the result.
    /// Suitable for every selector that is a function of its context, as components are.
    #[default]
    Cached,
    /// Runs the component for each decision in a fresh instance.
    Fresh,
    /// Runs the component for each decision, one at a time, in an instance that is kept. The
    /// selector may keep state, for example to count or to take turns. The instance is replaced
    /// after a trap or an exhausted limit. A host has room for
    /// [`Limits::STATEFUL`](crate::Limits::STATEFUL) of them.
    Stateful,
}
