//! The `spanmux` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(spanmux_cli::run(std::env::args_os()))
}
