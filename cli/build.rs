//! Rebuilds the command when a template is added, because the templates are embedded in it.

fn main() {
    println!("cargo::rerun-if-changed=templates");
}
