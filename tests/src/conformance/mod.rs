//! Conformance: one table of cases, asked of a component of each language by the
//! host of production.

mod cases;
mod matrix;
mod measured;
mod outcome;
mod vectors;

pub use cases::{Case, Difference, Suite};
pub use matrix::{Cell, Matrix, Row};
pub use measured::{Measured, measure};
pub use outcome::{Subject, outcome};
