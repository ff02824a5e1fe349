//! rotel: a collector between a tracer and Phoenix, started.

use std::net::{SocketAddr, TcpStream};

use anyhow::{Context as _, Result};

use crate::environment::Environment;
use crate::process::{Process, Processes, free_port};

pub struct Rotel {
    grpc: u16,
    process: Process,
}

impl Rotel {
    /// Starts it; what it takes it forwards to `onward`, over OTLP and HTTP.
    pub fn start(environment: &Environment, processes: &Processes, onward: &str) -> Result<Self> {
        let grpc = free_port()?;
        let mut command = environment.rotel()?;
        command
            .args([
                "start",
                "--exporter",
                "otlp",
                "--otlp-exporter-protocol",
                "http",
            ])
            .args(["--otlp-exporter-endpoint", onward])
            .args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")])
            .args([
                "--otlp-http-endpoint",
                &format!("127.0.0.1:{}", free_port()?),
            ]);
        let process = processes.start(command, &environment.log("rotel"))?;
        Ok(Self { grpc, process })
    }

    pub fn wait_until_ready(&mut self) -> Result<()> {
        let address = SocketAddr::from(([127, 0, 0, 1], self.grpc));
        self.process
            .wait_until_ready(|| TcpStream::connect(address).is_ok())
            .context("rotel did not start")
    }

    /// Where it takes OTLP over gRPC.
    pub fn grpc_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc)
    }
}
