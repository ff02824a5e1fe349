//! Write a Spanmux selector in Rust.
//!
//! A selector decides which tracer receives a trace. It is asked once for each
//! root span, with the runtime context of that run and the names of the
//! available tracers:
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
//! The crate is a `cdylib`, and `spanmux build` makes a component of it.
//!
//! # What a selector can count on
//!
//! - It decides from what it is given and from nothing else: no clock, no files,
//!   no network, no environment variables.
//! - Each decision gets a fresh instance, so a `static` never carries anything
//!   from one trace to the next.
//! - It pays for what it asks, and a host may learn its decisions: the same
//!   answers to the same questions need no second run. Ask the narrowest question
//!   that settles the matter ([`has`](RuntimeContext::has) before
//!   [`get`](RuntimeContext::get), [`bucket`](RuntimeContext::bucket) before an
//!   identifier's text), and ask it only on the path that needs it.
//!
//! A decision that cannot be made is [`fail`], with a reason that the host
//! records. A panic ends the decision too, but as a trap, and its message is
//! lost.
//!
//! # Memory
//!
//! On `wasm32-unknown-unknown` [`export!`] installs [`Arena`], an allocator of a
//! fixed size, so that the module never grows its memory: growing costs the host
//! more than the rest of a decision. [`ARENA_BYTES`] is enough for ordinary
//! contexts; a selector that reads large values asks for more with
//! `export!(select, arena: 256 * 1024)`.
//!
//! # Tests
//!
//! `cargo test` runs natively, with a `MockContext` that answers exactly as the
//! host does:
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

/// The examples of the README, so that they are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Makes a function the selector that this crate exports.
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
/// With `arena`, the selector has that many bytes to allocate from in place of
/// [`ARENA_BYTES`]:
///
/// ```
/// # use spanmux_guest::{Decision, RuntimeContext, choose};
/// spanmux_guest::export!(select, arena: 256 * 1024);
/// # fn select(_: &dyn RuntimeContext, _: &[String]) -> Decision { choose("console") }
/// ```
///
/// On `wasm32-unknown-unknown` this also installs [`Arena`] as the global
/// allocator; on WASI targets the allocator of the platform stays. On native
/// targets nothing is exported.
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
