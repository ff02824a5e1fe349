//! The events of a host and its selectors, as plain values.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// An event of a host, a watched directory or a selector, for
/// [`SelectorHostBuilder::on_event`](crate::SelectorHostBuilder::on_event).
///
/// The same events go through `tracing`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectorEvent {
    /// A file was loaded and its selector is live.
    Loaded {
        /// The name of the selector.
        selector: String,
        /// The path of the file.
        path: PathBuf,
        /// The SHA-256 digest of the file in hexadecimal.
        digest: String,
        /// The size of the file in bytes.
        bytes: usize,
    },
    /// A file could not be loaded.
    Refused {
        /// The name of its selector.
        selector: String,
        /// The path of the file.
        path: PathBuf,
        /// The error with its cause.
        reason: String,
        /// `true` if the previous content of the file stays live. Otherwise, decisions that reach
        /// its position go to the fallback tracer.
        kept: bool,
    },
    /// A live selector is no longer listed in the lock file. Decisions that reach its position go
    /// to the fallback tracer.
    Revoked {
        /// The name of the selector.
        selector: String,
        /// The path of the file.
        path: PathBuf,
        /// The error of the lock file.
        reason: String,
    },
    /// A file was removed, and its selector left the chain.
    Removed {
        /// The name of the selector.
        selector: String,
        /// The path of the file.
        path: PathBuf,
    },
    /// A new chain of a watched directory is live.
    Changed {
        /// The names of the directory's selectors in order.
        selectors: Vec<String>,
    },
    /// A watched directory cannot be read. Its chain is unchanged.
    Unreadable {
        /// The path of the directory.
        path: PathBuf,
        /// The error with its cause.
        reason: String,
    },
    /// A selector does not run until a probe succeeds. Its cached decisions stay available.
    Suspended {
        /// The name of the selector.
        selector: String,
        /// The failure of its last run.
        reason: String,
        /// The time until the probe.
        back_off: Duration,
    },
    /// The suspension of a selector ended.
    Resumed {
        /// The name of the selector.
        selector: String,
    },
    /// A selector printed text while it decided.
    Printed {
        /// The name of the selector.
        selector: String,
        /// The text on one line.
        text: String,
    },
    /// The compile cache cannot be used, so selectors are compiled at each start.
    CacheUnusable {
        /// The directory of the entries.
        directory: PathBuf,
        /// The reason and the remedy.
        reason: String,
    },
}

impl SelectorEvent {
    /// Returns the stable word for the kind of event.
    ///
    /// # Examples
    /// ```
    /// use spanmux::SelectorEvent;
    ///
    /// let event = SelectorEvent::Resumed { selector: "20-tenant".to_owned() };
    /// assert_eq!(event.kind(), "resumed");
    /// assert_eq!(event.to_string(), "selector 20-tenant works again; its suspension ended");
    /// ```
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Loaded { .. } => "loaded",
            Self::Refused { .. } => "refused",
            Self::Revoked { .. } => "revoked",
            Self::Removed { .. } => "removed",
            Self::Changed { .. } => "changed",
            Self::Unreadable { .. } => "unreadable",
            Self::Suspended { .. } => "suspended",
            Self::Resumed { .. } => "resumed",
            Self::Printed { .. } => "printed",
            Self::CacheUnusable { .. } => "cache_unusable",
        }
    }
}

impl fmt::Display for SelectorEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loaded {
                selector, digest, ..
            } => write!(
                f,
                "selector {selector} was loaded, with the digest {digest}"
            ),
            Self::Refused {
                selector,
                reason,
                kept,
                ..
            } => {
                let consequence = if *kept {
                    "the previous one stays live"
                } else {
                    "decisions that reach its position go to the fallback tracer"
                };
                write!(
                    f,
                    "selector {selector} was refused, {consequence}: {reason}"
                )
            }
            Self::Revoked {
                selector, reason, ..
            } => write!(f, "selector {selector} was revoked: {reason}"),
            Self::Removed { selector, .. } => write!(f, "selector {selector} was removed"),
            Self::Changed { selectors } => {
                write!(f, "a new chain is live: {}", selectors.join(", "))
            }
            Self::Unreadable { reason, .. } => {
                write!(f, "the chain of selectors is unchanged: {reason}")
            }
            Self::Suspended {
                selector,
                reason,
                back_off,
            } => write!(
                f,
                "selector {selector} is suspended for {} s: {reason}",
                back_off.as_secs_f64()
            ),
            Self::Resumed { selector } => {
                write!(f, "selector {selector} works again; its suspension ended")
            }
            Self::Printed { selector, text } => write!(f, "selector {selector} printed: {text}"),
            Self::CacheUnusable { reason, .. } => {
                write!(f, "the compile cache cannot be used: {reason}")
            }
        }
    }
}

/// The callback of a host, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Events(Option<Arc<Callback>>);

type Callback = dyn Fn(&SelectorEvent) + Send + Sync;

impl Events {
    pub(crate) fn to(callback: impl Fn(&SelectorEvent) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(callback)))
    }

    /// Calls the callback with the event, which is made only if there is one.
    pub(crate) fn emit(&self, event: impl FnOnce() -> SelectorEvent) {
        let Some(callback) = &self.0 else {
            return;
        };
        // The callback is code of the application. Its panic must not reach a decision.
        if catch_unwind(AssertUnwindSafe(|| callback(&event()))).is_err() {
            tracing::error!("the callback for events panicked");
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Events").field(&self.0.is_some()).finish()
    }
}
