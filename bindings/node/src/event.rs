//! The events of a policy as JavaScript objects.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use napi::Result;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;
use spanmux_component::SelectorEvent;
use spanmux_embed::PolicyEvent;

/// The events that wait for the thread of JavaScript. Beyond them, the thread of the events waits, so
/// that the policy counts those that are lost.
const MAX_WAITING: usize = 64;

/// An event of a policy. The kind tells which of the other fields it has.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct NativeEvent {
    pub kind: &'static str,
    pub selector: Option<String>,
    pub path: Option<String>,
    pub digest: Option<String>,
    pub bytes: Option<f64>,
    pub reason: Option<String>,
    pub kept: Option<bool>,
    pub selectors: Option<Vec<String>>,
    pub back_off_ms: Option<f64>,
    pub text: Option<String>,
    pub count: Option<f64>,
}

/// Hands events to the thread of JavaScript until it is closed.
///
/// The function usually refers to its policy, which refers to this. JavaScript does not see that
/// cycle, so the function is released when the policy is closed.
#[derive(Clone, Default)]
pub(crate) struct Callback(Arc<Mutex<Option<Arc<HandOver>>>>);

type HandOver = dyn Fn(NativeEvent) + Send + Sync;

impl Callback {
    /// Creates a callback. It does not keep the process alive, and does nothing once the thread of
    /// JavaScript ends.
    pub(crate) fn new(function: &Function<'_, NativeEvent, ()>) -> Result<Self> {
        let function = function.build_threadsafe_function();
        let function = function.weak::<true>().max_queue_size::<MAX_WAITING>();
        let function = function.build()?;
        let hand_over = move |event| {
            function.call(event, ThreadsafeFunctionCallMode::Blocking);
        };
        Ok(Self(Arc::new(Mutex::new(Some(Arc::new(hand_over))))))
    }

    pub(crate) fn call(&self, event: &PolicyEvent) {
        // Not called under the lock: it may wait for the thread of JavaScript, which may be closing.
        let hand_over = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let (Some(hand_over), Some(event)) = (hand_over, NativeEvent::new(event)) {
            hand_over(event);
        }
    }

    /// Releases the function.
    pub(crate) fn close(&self) {
        let _function = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl NativeEvent {
    /// Returns `None` for an event that this package does not know.
    fn new(event: &PolicyEvent) -> Option<Self> {
        let kind = event.kind();
        match event {
            PolicyEvent::Selector(event) => Self::of_selector(kind, event.clone()),
            PolicyEvent::Missed { count } => Some(Self {
                kind,
                count: Some(*count as f64),
                ..Self::default()
            }),
            // Node.js does not fork.
            _ => None,
        }
    }

    fn of_selector(kind: &'static str, event: SelectorEvent) -> Option<Self> {
        let of = |selector: Option<String>, path: Option<&Path>| Self {
            kind,
            selector,
            path: path.map(|path| path.display().to_string()),
            ..Self::default()
        };
        Some(match event {
            SelectorEvent::Loaded {
                selector,
                path,
                digest,
                bytes,
            } => Self {
                digest: Some(digest),
                bytes: Some(bytes as f64),
                ..of(Some(selector), Some(&path))
            },
            SelectorEvent::Refused {
                selector,
                path,
                reason,
                kept,
            } => Self {
                reason: Some(reason),
                kept: Some(kept),
                ..of(Some(selector), Some(&path))
            },
            SelectorEvent::Revoked {
                selector,
                path,
                reason,
            } => Self {
                reason: Some(reason),
                ..of(Some(selector), Some(&path))
            },
            SelectorEvent::Removed { selector, path } => of(Some(selector), Some(&path)),
            SelectorEvent::Changed { selectors } => Self {
                selectors: Some(selectors),
                ..of(None, None)
            },
            SelectorEvent::Unreadable { path, reason } => Self {
                reason: Some(reason),
                ..of(None, Some(&path))
            },
            SelectorEvent::Suspended {
                selector,
                reason,
                back_off,
            } => Self {
                reason: Some(reason),
                back_off_ms: Some(back_off.as_secs_f64() * 1000.0),
                ..of(Some(selector), None)
            },
            SelectorEvent::Resumed { selector } => of(Some(selector), None),
            SelectorEvent::Printed { selector, text } => Self {
                text: Some(text),
                ..of(Some(selector), None)
            },
            SelectorEvent::CacheUnusable { directory, reason } => Self {
                reason: Some(reason),
                ..of(None, Some(&directory))
            },
            _ => return None,
        })
    }
}
