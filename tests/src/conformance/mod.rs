//! Conformance: one table of cases, run with a component of each language on the production host.

mod cases;
mod matrix;
mod measured;
mod outcome;
mod vectors;

pub use cases::{Case, Difference, Suite};
pub use matrix::{Cell, Matrix, Row};
pub use measured::{Measured, measure};
pub use outcome::{Subject, outcome};
