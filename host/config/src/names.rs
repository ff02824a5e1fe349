//! Checks across keys: references to names, and keys that depend on each other.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::check::{Checked, join};
use super::document::{Entry, Node, Source, Value};
use super::nearest::hint;
use super::shape::FILE_ENDING;
use spanmux_core::{AllowedTracers, MAX_NAME_BYTES};

/// Exporter types without a backend.
const LOCAL: [&str; 3] = ["console", "file", "discard"];
/// Keys that only exporters with a backend accept.
const FOR_BACKENDS: [&str; 11] = [
    "headers",
    "gzip",
    "timeout",
    "max_request_bytes",
    "max_span_bytes",
    "proxy",
    "no_proxy",
    "origin",
    "ca_certificates",
    "system_certificates",
    "spill",
];

/// Checks a file that may already have other mistakes, so that all are reported together.
pub(super) fn check(source: &Source, root: &Node, checked: &mut Checked, directory: &Path) {
    let empty = Node {
        at: 0,
        value: Value::Table(Vec::new()),
    };
    let find = |key: &str| root.entries().iter().find(|entry| entry.key == key);
    let tracers = find("tracers")
        .map_or(&empty, |entry| &entry.node)
        .entries();
    let mut names = Names {
        source,
        checked,
        tracers,
        directory,
    };
    for key in ["default", "fallback"] {
        if let Some(entry) = find(key) {
            names.names_a_tracer(entry);
        }
    }
    let exporters = find("exporters").map_or(&empty, |entry| &entry.node);
    for exporter in exporters.entries() {
        let said = names.checked.values["exporters"][&exporter.key].clone();
        names.exporter(&exporter.node, &said, &join("exporters", &exporter.key));
    }
    for (place, tracer) in tracers.iter().enumerate() {
        names.name(tracer, &tracers[..place]);
        names.tracer(tracer, find("service").is_some());
    }
    if let Some(selectors) = find("selectors") {
        names.selectors(&selectors.node);
    }
}

struct Names<'a> {
    source: &'a Source,
    checked: &'a mut Checked,
    tracers: &'a [Entry],
    /// The base of relative paths.
    directory: &'a Path,
}

impl Names<'_> {
    fn problem(&mut self, at: usize, path: &str, message: impl Into<String>) {
        let problem = self.source.problem(at, path, message);
        self.checked.problems.push(problem);
    }

    /// Checks that the value of a key names a tracer of the file.
    fn names_a_tracer(&mut self, entry: &Entry) {
        let Value::Text(written) = &entry.node.value else {
            return;
        };
        let Some(name) = self.checked.values[&entry.key].as_str() else {
            return;
        };
        if self.tracers.iter().all(|tracer| tracer.key != name) {
            let known = self.tracers.iter().map(|tracer| tracer.key.as_str());
            let message = format!("no tracer is named {written:?}{}", hint(written, known));
            self.problem(entry.node.at, &entry.key, message);
        }
    }

    /// Checks the name of a tracer, and compares it with the preceding ones.
    fn name(&mut self, tracer: &Entry, before: &[Entry]) {
        let name = &tracer.key;
        let path = join("tracers", name);
        let same = |other: &&Entry| other.key.to_lowercase() == name.to_lowercase();
        // The parsers already reject identical names.
        if let Some(other) = before.iter().find(same) {
            let message = format!(
                "the tracer names {:?} and {name:?} differ only in case and are easily confused \
                 in selectors; rename one of them",
                other.key
            );
            self.problem(tracer.at, &path, message);
        }
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            let message = format!("a tracer's name must have 1 to {MAX_NAME_BYTES} bytes");
            self.problem(tracer.at, &path, message);
        }
    }

    fn tracer(&mut self, tracer: &Entry, has_service: bool) {
        let Value::Table(entries) = &tracer.node.value else {
            return;
        };
        let path = join("tracers", &tracer.key);
        let find = |key: &str| entries.iter().find(|entry| entry.key == key);
        if find("type").is_some() {
            self.provided(entries, &path);
            return;
        }
        if find("service").is_none() && !has_service {
            let message = "missing service name; set `service` here or at the top of the file";
            self.problem(tracer.at, &path, message);
        }
        let said = self.checked.values["tracers"][&tracer.key].clone();
        if let Some(one) = find("exporter") {
            self.exporter(&one.node, &said["exporter"], &join(&path, "exporter"));
        }
        if let Some(Value::List(several)) = find("exporters").map(|entry| &entry.node.value) {
            for (place, one) in several.iter().enumerate() {
                let path = format!("{path}.exporters[{place}]");
                self.exporter(one, &said["exporters"][place], &path);
            }
        }
        match (find("exporter"), find("exporters")) {
            (Some(_), Some(several)) => {
                let message = "`exporter` is set as well; write all of them in `exporters`";
                self.problem(several.at, &join(&path, "exporters"), message);
            }
            (None, None) => self.no_exporter(tracer.at, &path),
            (None, Some(several)) if is_empty(&several.node) => {
                self.no_exporter(several.at, &join(&path, "exporters"));
            }
            _ => {}
        }
    }

    fn exporter(&mut self, exporter: &Node, said: &Json, path: &str) {
        let entries = exporter.entries();
        let find = |key: &str| entries.iter().find(|entry| entry.key == key);
        let Some(Value::Text(kind)) = find("type").map(|entry| &entry.node.value) else {
            return;
        };
        let wrong = |entry: &&Entry| FOR_BACKENDS.contains(&entry.key.as_str());
        for entry in entries.iter().filter(wrong) {
            if LOCAL.contains(&kind.as_str()) {
                let message = format!(
                    "an exporter of type {kind:?} does not send to a backend; remove the key"
                );
                self.problem(entry.at, &join(path, &entry.key), message);
            }
        }
        if let (Some(region), Some(_)) = (find("region"), find("base_url")) {
            let message = "`region` and `base_url` exclude each other; remove one of them";
            self.problem(region.at, &join(path, "region"), message);
        }
        if let (Some(entry), Some(file)) =
            (find("ca_certificates"), said["ca_certificates"].as_str())
        {
            self.readable(entry, file, &join(path, "ca_certificates"));
        }
    }

    /// Checks that the file named by a key is readable. The path may come from the
    /// environment, so the message shows the text as written.
    fn readable(&mut self, entry: &Entry, file: &str, path: &str) {
        let read = fs::read(self.directory.join(file));
        let shown = match &entry.node.value {
            Value::Text(written) => written,
            _ => file,
        };
        let shown = self.directory.join(shown);
        let shown = shown.display();
        let message = match read {
            Ok(bytes) if std::str::from_utf8(&bytes).is_ok() => return,
            // DER begins with a sequence.
            Ok(bytes) if bytes.starts_with(&[0x30]) => format!(
                "the file {shown} is a certificate in DER, not PEM; convert it with `openssl x509 \
                 -inform der -in {shown} -out {shown}.pem`"
            ),
            Ok(_) => format!("the file {shown} is not text; name a PEM file"),
            Err(_) => format!("failed to read the file {shown}; name a readable PEM file"),
        };
        self.problem(entry.node.at, path, message);
    }

    fn no_exporter(&mut self, at: usize, path: &str) {
        let message = "no exporter; write `exporter` with a `type`, which is \"discard\" if its \
                     spans shall go nowhere";
        self.problem(at, path, message);
    }

    /// Rejects all other keys of a tracer that code provides. The file sets only its position.
    fn provided(&mut self, entries: &[Entry], path: &str) {
        for entry in entries.iter().filter(|entry| entry.key != "type") {
            let message = "code configures this provided tracer; remove this key, or `type`";
            self.problem(entry.at, &join(path, &entry.key), message);
        }
    }

    fn selectors(&mut self, selectors: &Node) {
        let find = |key: &str| selectors.entries().iter().find(|entry| entry.key == key);
        let said = self.checked.values["selectors"].clone();
        if let (Some(entry), Some(named)) = (find("directory"), said["directory"].as_str()) {
            let path = self.directory.join(named);
            if !path.is_dir() {
                let shown = match &entry.node.value {
                    Value::Text(written) => self.directory.join(written),
                    _ => path,
                };
                let message = format!(
                    "the directory {} does not exist; create it or correct the path",
                    shown.display()
                );
                self.problem(entry.node.at, "selectors.directory", message);
            }
        }
        let files = selectors.entries().iter();
        for file in files.filter(|entry| entry.key.ends_with(FILE_ENDING)) {
            self.allow_list(file, &said[&file.key]["tracers"]);
        }
        if let Some(Value::List(order)) = find("order").map(|entry| &entry.node.value) {
            self.no_name_twice(order, &said["order"]);
        }
    }

    /// Checks the tracers that a selector may choose. A pattern without a tracer is a warning, because
    /// code can add tracers.
    fn allow_list(&mut self, file: &Entry, said: &Json) {
        let find = |key: &str| file.node.entries().iter().find(|entry| entry.key == key);
        let Some(entry) = find("tracers") else {
            return;
        };
        let Value::List(nodes) = &entry.node.value else {
            return;
        };
        let path = join("selectors", &file.key);
        let path = join(&path, "tracers");
        let patterns: Vec<&str> = said
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(Json::as_str)
            .collect();
        if patterns.len() != nodes.len() {
            return;
        }
        let mut is_valid = true;
        for (place, (node, pattern)) in nodes.iter().zip(&patterns).enumerate() {
            let path = format!("{path}[{place}]");
            match AllowedTracers::new([*pattern]) {
                Ok(allowed) => self.allows_a_tracer(node, pattern, &allowed, &path),
                Err(error) => {
                    is_valid = false;
                    self.problem(node.at, &path, error.to_string());
                }
            }
        }
        // The list as a whole: without a pattern, or with too many.
        if is_valid && let Err(error) = AllowedTracers::new(patterns) {
            self.problem(entry.node.at, &path, error.to_string());
        }
    }

    fn allows_a_tracer(
        &mut self,
        node: &Node,
        pattern: &str,
        allowed: &AllowedTracers,
        path: &str,
    ) {
        let mut known = self.tracers.iter().map(|tracer| tracer.key.as_str());
        if known.any(|tracer| allowed.allows(tracer)) {
            return;
        }
        let known = self.tracers.iter().map(|tracer| tracer.key.as_str());
        let message = if pattern.contains('*') {
            format!(
                "no tracer of this file matches {pattern:?}{}",
                hint(pattern, known)
            )
        } else {
            format!("no tracer is named {pattern:?}{}", hint(pattern, known))
        };
        let warning = self.source.problem(node.at, path, message);
        self.checked.warnings.push(warning);
    }

    /// Checks that no selector is listed twice.
    fn no_name_twice(&mut self, nodes: &[Node], names: &Json) {
        let names = names.as_array().map_or(&[][..], Vec::as_slice);
        for (place, (node, name)) in nodes.iter().zip(names).enumerate() {
            if names[..place].contains(name) && name.is_string() {
                let message = "listed twice in the order; remove one";
                self.problem(node.at, &format!("selectors.order[{place}]"), message);
            }
        }
    }
}

fn is_empty(node: &Node) -> bool {
    matches!(&node.value, Value::List(nodes) if nodes.is_empty())
}
