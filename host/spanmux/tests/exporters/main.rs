//! Tests for exporters on the wire: the requests that a backend receives, and the counts
//! when they fail.
#![allow(clippy::unwrap_used, clippy::panic)]

mod buffering;
mod collector;
mod connections;
mod destinations;
mod dialects;
mod faults;
#[cfg(feature = "grpc")]
mod grpc_collector;
#[cfg(feature = "grpc")]
mod grpc_faults;
mod leak;
mod local;
mod log;
mod mistakes;
mod parents;
mod presets;
mod process;
mod proxy;
mod responses;
mod secrets;
mod sizes;
mod support;
mod tls;
mod waits;
mod wire;
mod working_directory;
