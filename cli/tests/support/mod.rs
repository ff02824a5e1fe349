//! Shared by the tests of the command: runs the command once.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The output and exit code of a run.
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

/// Returns the folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs the command with these arguments and this input.
pub(crate) fn spanmux_with_input(args: &[&str], input: &str) -> Output {
    spanmux_in(args, input, &[])
}

/// Runs the command with these arguments, this input and these environment variables.
pub(crate) fn spanmux_in(args: &[&str], input: &str, variables: &[(&str, &str)]) -> Output {
    // The tests use their own cache by default.
    let cache = [
        "--cache-dir",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"),
    ];
    let says = |arg: &&str| arg.contains("cache") || *arg == "--help" || *arg == "build";
    let mut child = Command::new(env!("CARGO_BIN_EXE_spanmux"))
        .args(cache.iter().filter(|_| !args.iter().any(says)))
        .args(args)
        .envs(variables.iter().copied())
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command may close its input without reading it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Output {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().expect("no signal"),
    }
}
