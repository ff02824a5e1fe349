//! Backends by name. Each becomes an [`OtlpExporter`](super::OtlpExporter).

mod langfuse;
mod mlflow;
mod phoenix;

pub use langfuse::{Langfuse, LangfuseRegion};
pub use mlflow::Mlflow;
pub use phoenix::Phoenix;
