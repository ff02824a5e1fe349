//! Checks the endpoints of the exporters of a configuration.

use super::addresses;
use super::check::join;
use super::config::Config;
use super::exporter::exporter;
use super::problem::{ConfigError, Problem};
use super::shape::ExporterTable;
use spanmux_export::exporters::{OtlpError, OtlpProblem};

/// The keys of an exporter with an address.
const ADDRESSES: [&str; 4] = ["origin", "endpoint", "base_url", "address"];

impl Config {
    /// Refuses the endpoints that exporters reject, and adds a warning for each odd one.
    pub(super) fn check_endpoints(&mut self) -> Result<(), ConfigError> {
        let problems = self.wrong_addresses();
        if !problems.is_empty() {
            return Err(ConfigError::Invalid(problems));
        }
        let mut warnings = self.odd_addresses();
        warnings.append(&mut self.warnings);
        self.warnings = warnings;
        Ok(())
    }

    /// Returns the tables of all exporters with their paths.
    fn exporters(&self) -> Vec<(String, &ExporterTable)> {
        let mut exporters = Vec::new();
        for (name, table) in &self.tracers {
            let path = join("tracers", name);
            if let Some(one) = &table.exporter {
                exporters.push((format!("{path}.exporter"), one));
            }
            for (place, one) in table.exporters.iter().enumerate() {
                exporters.push((format!("{path}.exporters[{place}]"), one));
            }
        }
        exporters
    }

    /// Returns a warning for each valid address that is unlikely to accept traces.
    fn odd_addresses(&self) -> Vec<Problem> {
        let odd = self.exporters().into_iter().filter_map(|(key, table)| {
            let url = exporter(table.clone(), &self.directory).endpoint()?;
            let warning = addresses::warning(&url, table.kind.speaks_grpc())?;
            Some(self.problem(&key, warning))
        });
        odd.collect()
    }

    /// Returns the endpoints that exporters reject.
    fn wrong_addresses(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (key, table) in self.exporters() {
            if let Err(error) = exporter(table.clone(), &self.directory).check_endpoint() {
                problems.push(self.problem(&key, self.wrong_address(&key, &error)));
            }
        }
        problems
    }

    /// Returns the message of an address that an exporter rejects. It shows no part of a value
    /// from outside of the file.
    fn wrong_address(&self, exporter: &str, error: &OtlpError) -> String {
        let OtlpProblem::Endpoint { problem, .. } = &error.problem else {
            return error.to_string();
        };
        let taken = ADDRESSES.iter().find_map(|key| {
            let key = join(exporter, key);
            let written = self.located.taken(&key)?;
            Some((key, written))
        });
        let Some((key, written)) = taken else {
            return error.to_string();
        };
        let problem = if self.located.shows(&key, problem) {
            "is not a valid address; write one such as \"http://localhost:4318\""
        } else {
            problem
        };
        format!(
            "the endpoint {written:?} of exporter {} {problem}",
            error.exporter
        )
    }
}
