//! Prints the page `docs/dialects.md`.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    io::stdout().write_all(spanmux_export::internal::dialects_page().as_bytes())
}
