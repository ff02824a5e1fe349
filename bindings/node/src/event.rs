//! The events of a policy as JavaScript objects.

use std::path::Path;

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

/// Returns a callback that hands each event to the thread of JavaScript. It does not keep the process
/// alive, and does nothing once that thread ends.
pub(crate) fn callback(
    function: &Function<'_, NativeEvent, ()>,
) -> Result<impl Fn(&PolicyEvent) + Send + Sync + 'static> {
    let function = function.build_threadsafe_function();
    let function = function.weak::<true>().max_queue_size::<MAX_WAITING>();
    let function = function.build()?;
    Ok(move |event: &PolicyEvent| {
        if let Some(event) = NativeEvent::new(event) {
            function.call(event, ThreadsafeFunctionCallMode::Blocking);
        }
    })
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
