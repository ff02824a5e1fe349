//! The part of Spanmux that bindings for other languages share.
//!
//! A [`Policy`] holds live selectors. [`Policy::tracers`] names the tracers of a caller, and
//! [`Tracers::decide`] returns a [`Decided`]: plain values that a binding converts to its
//! language. A binding routes the spans of its own SDK. [`Exporters`] delivers them as a
//! configuration file says.
//!
//! # Features
//! - `exporters` (default): [`Exporters`]. Without it, a [`Policy`] still reads the selectors of a
//!   configuration file, and the crate needs no OpenTelemetry.
//!
//! # Examples
//! ```
//! use spanmux_core::{RuntimeContext, selector_fn};
//! use spanmux_embed::Policy;
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path();
//! let by_tenant = selector_fn("by-tenant", |context, tracers| {
//!     tracers.choose(context.text("tenant").unwrap_or_default())
//! });
//! let policy = Policy::builder(path).native_selector(by_tenant).open()?;
//! let tracers = policy.tracers(["console", "acme"], Some("console"), None)?;
//!
//! let context = RuntimeContext::builder().set("tenant", "acme").build();
//! let decided = tracers.decide(&context.view());
//! assert_eq!(decided.tracer.as_deref(), Some("acme"));
//! assert_eq!(decided.selector.as_deref(), Some("by-tenant"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod decided;
mod error;
mod event;
mod explained;
#[cfg(feature = "exporters")]
mod exporters;
mod fork;
mod limits;
mod live;
mod policy;
mod source;
mod tracers;

pub use builder::PolicyBuilder;
pub use decided::Decided;
pub use error::{PolicyError, TracersError};
pub use event::PolicyEvent;
pub use explained::ExplainFormat;
#[cfg(feature = "exporters")]
pub use exporters::{Exporters, ExportingTracer};
pub use limits::limits;
pub use policy::Policy;
pub use spanmux_core::internal::AskedKeys;
pub use tracers::Tracers;
