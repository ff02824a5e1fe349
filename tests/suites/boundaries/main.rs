//! The boundary of the library: code of the application that it calls, settings at the
//! ends of their types, and registries at their limits.

mod extremes;
mod many_tracers;
mod reentry;
mod threads;
