//! A test that needs a process to itself.

use std::process::Command;

/// Set in the process of its own.
const ALONE: &str = "SPANMUX_TEST_ALONE";

/// Runs the test in a process of its own, with these variables: there `work`, here
/// nothing but a look at what came of it. The name is `module::test`.
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
