//! rotel: a collector between a tracer and Phoenix.

use anyhow::Result;

use crate::environment::Environment;
use crate::process::{Processes, free_port, is_open};
use crate::server::Server;

pub struct Rotel {
    grpc: u16,
    server: Server,
}

impl Rotel {
    /// Starts the collector. It forwards to `onward` over OTLP and HTTP.
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
        let mut server = Server::new("rotel", environment, processes);
        server.start(command)?;
        Ok(Self { grpc, server })
    }

    pub fn wait_until_ready(&mut self) -> Result<()> {
        let grpc = self.grpc;
        self.server.wait_until_ready(|| is_open(grpc))
    }

    /// Returns the address for OTLP over gRPC.
    pub fn grpc_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc)
    }
}
