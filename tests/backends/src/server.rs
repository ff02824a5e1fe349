//! The process of a backend, which can be stopped and restarted.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::environment::Environment;
use crate::process::{Process, Processes};

pub struct Server {
    name: &'static str,
    environment: Environment,
    processes: Processes,
    process: Option<Process>,
}

impl Server {
    pub fn new(name: &'static str, environment: &Environment, processes: &Processes) -> Self {
        Self {
            name,
            environment: environment.clone(),
            processes: processes.clone(),
            process: None,
        }
    }

    /// Starts the process. Its log is continued.
    pub fn start(&mut self, command: Command) -> Result<()> {
        let log = self.environment.log(self.name);
        self.process = Some(self.processes.start(command, &log)?);
        Ok(())
    }

    pub fn wait_until_ready(&mut self, ready: impl Fn() -> bool) -> Result<()> {
        let process = self.process.as_mut();
        let process = process.with_context(|| format!("{} was not started", self.name))?;
        let waited = process.wait_until_ready(ready);
        waited.with_context(|| format!("{} did not start", self.name))
    }

    pub fn stop(&mut self) -> Result<()> {
        let stopped = self.process.take().map_or(Ok(()), Process::stop);
        stopped.with_context(|| format!("{} did not stop", self.name))
    }
}
