//! The command line, for `python -m spanmux`.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command and returns its exit code. The first argument is the name of the program.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| spanmux_cli::run(arguments))
}
