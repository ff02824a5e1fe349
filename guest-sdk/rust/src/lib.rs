//! Write a Spanmux selector in Rust.
//!
//! A selector decides which tracer receives a trace. The host calls it once for each
//! root span, with the runtime context of that run and the names of the available
//! tracers:
//!
//! ```
//! use spanmux_guest::{Decision, RuntimeContext, abstain, choose};
//!
//! spanmux_guest::export!(select);
//!
//! fn select(context: &dyn RuntimeContext, available_tracers: &[String]) -> Decision {
//!     match context.text("environment").as_deref() {
//!         Some("production") => choose("langfuse"),
//!         Some("development") => choose("console"),
//!         _ => abstain(),
//!     }
//! }
//! ```
//!
//! The crate is a `cdylib`. `spanmux build` converts it into a component.
//!
//! # Execution model
//!
//! - A selector decides only from its arguments. It has no clock, files, network or
//!   environment variables.
//! - Each decision runs in a fresh instance, so a `static` never carries state from one
//!   trace to the next.
//! - Each question has a cost, and the host may cache decisions: the same answers to
//!   the same questions need no second run. Ask the narrowest sufficient question
//!   ([`has`](RuntimeContext::has) before [`get`](RuntimeContext::get),
//!   [`bucket`](RuntimeContext::bucket) before the text of an identifier), and only on
//!   the code path that needs it.
//!
//! Return [`fail`] if no decision can be made; the host records the reason. A panic also
//! ends the decision, but as a trap without a message.
//!
//! # Memory
//!
//! On `wasm32-unknown-unknown`, [`export!`] installs [`Arena`], an allocator that
//! starts with a fixed size. An ordinary decision therefore does not grow the memory of
//! the module, which would cost the host more than the rest of the decision. Beyond
//! [`ARENA_BYTES`], for long lists of tracers or large values, the arena grows up to the
//! memory limit of the host. A selector that often reads large values can avoid growing
//! with `export!(select, arena: 256 * 1024)`.
//!
//! # Tests
//!
//! `cargo test` runs natively, with a `MockContext` that answers exactly as the host
//! does:
//!
#![cfg_attr(not(target_family = "wasm"), doc = "```")]
#![cfg_attr(target_family = "wasm", doc = "```ignore")]
//! # use spanmux_guest::{Decision, RuntimeContext, abstain, choose};
//! # fn select(context: &dyn RuntimeContext, _: &[String]) -> Decision {
//! #     match context.text("environment").as_deref() {
//! #         Some("production") => choose("langfuse"),
//! #         _ => abstain(),
//! #     }
//! # }
//! use spanmux_guest::mock::{MockContext, tracers};
//!
//! let context = MockContext::new().with("environment", "production");
//! let available = tracers(["langfuse", "console"]);
//! assert_eq!(select(&context, &available), choose("langfuse"));
//! ```

mod arena;
#[doc(hidden)]
#[cfg(target_family = "wasm")]
pub mod bindings;
mod context;
mod decision;
#[cfg(not(target_family = "wasm"))]
pub mod mock;
mod value;

pub use arena::{ARENA_BYTES, Arena};
pub use context::RuntimeContext;
pub use decision::{Decision, Select, abstain, choose, choose_if_available, fail};
pub use value::Value;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Exports a function as the selector of this crate.
///
/// The function has the type [`Select`]. Call the macro once, at the top of the
/// crate.
///
/// ```
/// use spanmux_guest::{Decision, RuntimeContext, choose};
///
/// spanmux_guest::export!(select);
///
/// fn select(_: &dyn RuntimeContext, _: &[String]) -> Decision {
///     choose("console")
/// }
/// ```
///
/// `arena` sets the size of the arena in bytes before it grows. It defaults to [`ARENA_BYTES`]:
///
/// ```
/// # use spanmux_guest::{Decision, RuntimeContext, choose};
/// spanmux_guest::export!(select, arena: 256 * 1024);
/// # fn select(_: &dyn RuntimeContext, _: &[String]) -> Decision { choose("console") }
/// ```
///
/// On `wasm32-unknown-unknown`, the macro also installs [`Arena`] as the global
/// allocator. WASI targets keep the allocator of the platform. On native targets the
/// macro exports nothing.
#[macro_export]
macro_rules! export {
    ($select:path $(,)?) => {
        $crate::export!($select, arena: $crate::ARENA_BYTES);
    };
    ($select:path, arena: $bytes:expr $(,)?) => {
        const _: () = {
            const SELECT: $crate::Select = $select;
            $crate::__export_component!(SELECT, $bytes);
        };
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(target_family = "wasm"))]
macro_rules! __export_component {
    ($select:ident, $bytes:expr) => {
        const _: ($crate::Select, usize) = ($select, $bytes);
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(target_family = "wasm")]
macro_rules! __export_component {
    ($select:ident, $bytes:expr) => {
        #[cfg(target_os = "unknown")]
        #[global_allocator]
        static ARENA: $crate::Arena<{ $bytes }> = $crate::Arena::new();

        struct Selector;

        impl $crate::bindings::exports::spanmux::selector::selection::Guest for Selector {
            fn select(
                available_tracers: ::std::vec::Vec<::std::string::String>,
            ) -> $crate::Decision {
                $select(&$crate::bindings::HostContext, &available_tracers)
            }
        }

        $crate::bindings::export_selector!(Selector);
    };
}
