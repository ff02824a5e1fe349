//! Sets the linker flags of a module for Node.js.

fn main() {
    napi_build::setup();
}
