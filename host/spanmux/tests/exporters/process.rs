//! Runs a test in its own process.

use std::process::Command;

/// Set in the child process.
const ALONE: &str = "SPANMUX_TEST_ALONE";

/// Runs the test in a child process with these variables. The child runs `work`; the parent
/// only checks the result. The name has the form `module::test`.
pub(crate) fn alone(name: &str, variables: &[(String, String)], work: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some() {
        return work();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}
