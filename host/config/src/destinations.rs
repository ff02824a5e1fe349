//! Exporters with names. Each use of one in a tracer is replaced by the table of the exporter before the
//! file is validated, so that everything after it knows whole exporters only.

use std::collections::BTreeSet;

use super::check::join;
use super::document::{Entry, Node, Source, Value};
use super::nearest::hint;
use super::problem::Problem;
use spanmux_core::MAX_NAME_BYTES;

/// The keys of a use, which replace those of the exporter.
pub(super) const OWN_KEYS: [&str; 4] = ["content", "filter", "redaction", "sampling"];

/// The key with the name of the exporter that is used.
pub(super) const USE: &str = "use";

/// The mistakes in names and uses of exporters.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// Replaces the uses of named exporters in all tracers.
pub(super) fn expand(source: &Source, root: &mut Node) -> Findings {
    let named = root.entries().iter().find(|entry| entry.key == "exporters");
    let named = named.map_or_else(Vec::new, |entry| entry.node.entries().to_vec());
    let mut expansion = Expansion {
        source,
        used_by: vec![None; named.len()],
        named,
        findings: Findings::default(),
    };
    expansion.names();
    let Value::Table(entries) = &mut root.value else {
        return expansion.findings;
    };
    let tracers = entries.iter_mut().find(|entry| entry.key == "tracers");
    if let Some(Value::Table(tracers)) = tracers.map(|entry| &mut entry.node.value) {
        tracers
            .iter_mut()
            .for_each(|tracer| expansion.tracer(tracer));
    }
    expansion.unused();
    expansion.findings
}

struct Expansion<'a> {
    source: &'a Source,
    named: Vec<Entry>,
    /// The first tracer that uses each exporter.
    used_by: Vec<Option<String>>,
    findings: Findings,
}

impl Expansion<'_> {
    fn problem(&mut self, at: usize, path: &str, message: impl Into<String>) {
        let problem = self.source.problem(at, path, message);
        self.findings.problems.push(problem);
    }

    fn names(&mut self) {
        for place in 0..self.named.len() {
            let Some(Entry { key, at, .. }) = self.named.get(place) else {
                continue;
            };
            if key.is_empty() || key.len() > MAX_NAME_BYTES {
                let (at, path) = (*at, join("exporters", key));
                let message = format!("an exporter's name must have 1 to {MAX_NAME_BYTES} bytes");
                self.problem(at, &path, message);
            }
        }
    }

    fn unused(&mut self) {
        for (entry, used_by) in self.named.iter().zip(&self.used_by) {
            if used_by.is_none() {
                let path = join("exporters", &entry.key);
                let message = "no tracer uses this exporter; add its name to `exporters` of a \
                               tracer, or remove it";
                let warning = self.source.problem(entry.at, &path, message);
                self.findings.warnings.push(warning);
            }
        }
    }

    fn tracer(&mut self, tracer: &mut Entry) {
        let path = join("tracers", &tracer.key);
        let Value::Table(entries) = &mut tracer.node.value else {
            return;
        };
        let mut before = BTreeSet::new();
        for entry in entries {
            let path = join(&path, &entry.key);
            match (entry.key.as_str(), &mut entry.node.value) {
                ("exporter", _) => {
                    self.destination(&tracer.key, &mut entry.node, &path, &mut before);
                }
                ("exporters", Value::List(nodes)) => {
                    for (place, node) in nodes.iter_mut().enumerate() {
                        let path = format!("{path}[{place}]");
                        self.destination(&tracer.key, node, &path, &mut before);
                    }
                }
                _ => {}
            }
        }
    }

    /// Replaces a use. Any other node stays as it is. `before` contains the exporters that the tracer
    /// already uses.
    fn destination(
        &mut self,
        tracer: &str,
        node: &mut Node,
        path: &str,
        before: &mut BTreeSet<usize>,
    ) {
        let at = node.at;
        let (name, own) = match &node.value {
            Value::Text(name) => (name.clone(), Vec::new()),
            Value::Table(entries) => {
                let Some(used) = entries.iter().find(|entry| entry.key == USE) else {
                    return;
                };
                let Value::Text(name) = &used.node.value else {
                    let found = used.node.value.kind();
                    let message = format!("expected the name of an exporter, found {found}");
                    let (at, path) = (used.node.at, join(path, USE));
                    self.problem(at, &path, message);
                    *node = nowhere(at);
                    return;
                };
                let own = entries.iter().filter(|entry| entry.key != USE);
                (name.clone(), own.cloned().collect())
            }
            _ => return,
        };
        let own = self.own_keys(own, &name, path);
        let Some(place) = self.named.iter().position(|entry| entry.key == name) else {
            let known = self.named.iter().map(|entry| entry.key.as_str());
            let mut message = format!("no exporter is named {name:?}{}", hint(&name, known));
            if self.named.is_empty() {
                message = format!(
                    "no exporter is named {name:?}; add a table {}, or write a table with the key \
                     `type`",
                    format_args!("[{}]", join("exporters", &name))
                );
            }
            self.problem(at, path, message);
            *node = nowhere(at);
            return;
        };
        if !before.insert(place) {
            let message = format!(
                "the tracer uses the exporter {name:?} twice and would send every span twice; \
                 remove one"
            );
            self.problem(at, path, message);
        }
        self.one_file(place, tracer, at, path);
        let Some(Entry { node: named, .. }) = self.named.get(place) else {
            return;
        };
        *node = Node {
            at,
            value: merged(named, &name, own, tracer, at),
        };
    }

    /// Keeps the keys that belong to a use, and reports the others.
    fn own_keys(&mut self, own: Vec<Entry>, name: &str, path: &str) -> Vec<Entry> {
        let (known, others): (Vec<_>, Vec<_>) = own
            .into_iter()
            .partition(|entry| OWN_KEYS.contains(&entry.key.as_str()));
        for entry in others {
            let hint = hint(&entry.key, OWN_KEYS);
            let message = format!(
                "unknown key{hint}; set other keys in [{}]",
                join("exporters", name)
            );
            self.problem(entry.at, &join(path, &entry.key), message);
        }
        known
    }

    /// Two tracers must not append to one file, because each rotates it.
    fn one_file(&mut self, place: usize, tracer: &str, at: usize, path: &str) {
        let (Some(entry), Some(used_by)) = (self.named.get(place), self.used_by.get_mut(place))
        else {
            return;
        };
        let first = used_by.get_or_insert_with(|| tracer.to_owned()).clone();
        let kind = entry
            .node
            .entries()
            .iter()
            .find(|entry| entry.key == "type");
        let is_file = kind
            .is_some_and(|kind| matches!(&kind.node.value, Value::Text(kind) if kind == "file"));
        if is_file && first != tracer {
            let message = format!(
                "the tracer {first:?} already writes to the file of {:?}; give each tracer an \
                 exporter with a file of its own",
                entry.key
            );
            self.problem(at, path, message);
        }
    }
}

/// Returns the table of an exporter with the keys of its use.
fn merged(named: &Node, name: &str, own: Vec<Entry>, tracer: &str, at: usize) -> Value {
    let Value::Table(entries) = &named.value else {
        // The validation reports it where it is written.
        return nowhere(at).value;
    };
    let is_own = |entry: &&Entry| own.iter().any(|own| own.key == entry.key);
    let mut merged: Vec<Entry> = entries.iter().filter(|it| !is_own(it)).cloned().collect();
    let spill = merged.iter_mut().find(|entry| entry.key == "spill");
    if let Some(Value::Table(spill)) = spill.map(|entry| &mut entry.node.value) {
        let directory = spill.iter_mut().find(|entry| entry.key == "directory");
        if let Some(Value::Text(directory)) = directory.map(|entry| &mut entry.node.value) {
            // A disk buffer belongs to one tracer.
            *directory = format!("{directory}/{}", folder(tracer));
        }
    }
    merged.extend(own);
    if merged.iter().all(|entry| entry.key != "name") {
        // A name is not a reference to a value from outside.
        let value = Value::Text(name.replace("${", "$${"));
        merged.push(Entry {
            key: "name".to_owned(),
            at,
            node: Node { at, value },
        });
    }
    Value::Table(merged)
}

/// Returns the name of a tracer as the name of a folder.
fn folder(tracer: &str) -> String {
    let mut folder = String::new();
    for byte in tracer.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => folder.push(byte.into()),
            _ => folder.push_str(&format!("%{byte:02X}")),
        }
    }
    folder
}

/// Stands for a use that was reported, so that it is reported once.
fn nowhere(at: usize) -> Node {
    let node = Node {
        at,
        value: Value::Text("discard".to_owned()),
    };
    let kind = Entry {
        key: "type".to_owned(),
        at,
        node,
    };
    Node {
        at,
        value: Value::Table(vec![kind]),
    }
}
