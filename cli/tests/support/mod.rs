//! What the tests of the command share: one run of it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run printed, and how it ended.
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs the command with these arguments and this input.
pub(crate) fn spanmux_with_input(args: &[&str], input: &str) -> Output {
    spanmux_in(args, input, &[])
}

/// The same, with these environment variables too.
pub(crate) fn spanmux_in(args: &[&str], input: &str, variables: &[(&str, &str)]) -> Output {
    // A cache of the tests' own, unless a test says otherwise.
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
    // A command that does not read its input closes it, which is its right.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Output {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().expect("no signal"),
    }
}
