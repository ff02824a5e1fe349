//! The selectors that come and go: correct ones in many versions with known answers, and the whole
//! zoo.

use std::collections::BTreeMap;

use spanmux::{RuntimeContext, SelectorHost};

use super::TRACERS;
use crate::{component, folder_of, guest, host_within, limits, text};

/// Versions of each correct selector: enough for variety, and few enough to bound their caches.
const VERSIONS: u8 = 8;

/// The bytes of the components.
pub(super) struct Guests {
    /// Each always answers one tracer.
    pub(super) answers: Vec<Vec<u8>>,
    /// These follow the context: trap, loop, abstain, fail.
    pub(super) breaks: Vec<Vec<u8>>,
    /// One attack each, with its name.
    pub(super) zoo: Vec<(String, Vec<u8>)>,
    /// The constant answers by digest.
    always: BTreeMap<String, &'static str>,
}

impl Guests {
    pub(super) fn new() -> Self {
        let host = host_within(limits());
        let mut always = BTreeMap::new();
        let mut answers = Vec::new();
        for version in 0..VERSIONS {
            for tracer in TRACERS {
                let text =
                    text("guests", "console").replace("00console\"", &format!("00{tracer}\""));
                let bytes = versioned(component(&text), version);
                always.insert(digest(&host, &bytes), tracer);
                answers.push(bytes);
            }
        }
        // A memory so large that the engine clears it in another way.
        digest(&host, &crate::zoo("key-of-10-megabytes"));
        let breaks = (0..VERSIONS).map(|version| versioned(guest("breaks"), version));
        Self {
            answers,
            breaks: breaks.collect(),
            zoo: zoo(),
            always,
        }
    }

    /// Returns the constant answer of the selector with this digest, if any.
    pub(super) fn always(&self, digest: &str) -> Option<&'static str> {
        self.always.get(digest).copied()
    }
}

/// Adds a custom section `v`.
fn versioned(mut bytes: Vec<u8>, version: u8) -> Vec<u8> {
    bytes.extend([0, 3, 1, b'v', version]);
    bytes
}

fn digest(host: &SelectorHost, bytes: &[u8]) -> String {
    let selector = host.load("answers", bytes).expect("a good selector");
    crate::decide(&selector, &RuntimeContext::empty());
    spanmux::Selector::digest(&selector)
        .expect("a digest")
        .to_owned()
}

/// Returns every member, and bytes that are not a component.
fn zoo() -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder_of("zoo")).expect("the zoo");
    let mut members: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let path = entry.expect("a member").path();
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let text = std::fs::read_to_string(&path).expect("a text");
            (name, component(&text))
        })
        .collect();
    members.sort();
    members.push(("no component".to_owned(), b"not a component".to_vec()));
    members.push(("nothing".to_owned(), Vec::new()));
    members
}
