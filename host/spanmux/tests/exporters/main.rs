//! Exporters at the wire: what arrives at a backend, and what is counted when it
//! does not.
#![allow(clippy::unwrap_used, clippy::panic)]

mod collector;
mod faults;
#[cfg(feature = "grpc")]
mod grpc_collector;
#[cfg(feature = "grpc")]
mod grpc_faults;
mod leak;
mod mistakes;
mod presets;
mod process;
mod secrets;
mod support;
mod tls;
mod wire;
