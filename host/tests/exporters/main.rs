//! Exporters at the wire: what arrives at a backend, and what is counted when it
//! does not.
#![allow(clippy::unwrap_used, clippy::panic)]

mod collector;
mod faults;
mod support;
mod wire;
