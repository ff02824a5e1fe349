//! The templates are built into the command: one that is added must be seen.

fn main() {
    println!("cargo::rerun-if-changed=templates");
}
