//! Validates a file against the schema and collects every mistake.
//!
//! The schema is generated from the types in `shape`, so this module supports only the JSON
//! Schema keywords that those types produce.

use std::collections::{BTreeMap, BTreeSet};

use std::fmt;

use serde_json::{Map, Number, Value as Json};

use super::document::{Entry, Node, Source, Value};
use super::foreign;
use super::interpolate::{Outside, fill};
use super::nearest::{hint, nearest};
use super::problem::Problem;
use super::schema::{allows, expected, resolve, strings};
use super::values::{MEANING, Period, Url};

/// The result of validation: the values with environment variables replaced, their
/// positions, and the mistakes.
pub(super) struct Checked {
    pub(super) values: Json,
    pub(super) places: Places,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    /// The values from outside of the file.
    pub(super) taken: Taken,
    /// The byte offsets of the optional keys whose value from outside is empty.
    pub(super) absent: BTreeSet<usize>,
}

/// The byte offset of each key, by path.
pub(super) type Places = BTreeMap<String, usize>;

/// The values from the environment and from files, by path.
pub(super) type Taken = BTreeMap<String, TakenValue>;

/// A value from outside of the file.
pub(super) struct TakenValue {
    pub(super) value: String,
    /// The text in the file.
    pub(super) written: String,
}

/// Does not show the value.
impl fmt::Debug for TakenValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.fmt(f)
    }
}

/// Validates a file against the schema.
pub(super) fn check(source: &Source, root: &Node, schema: &Json, outside: Outside<'_>) -> Checked {
    let mut check = Check {
        source,
        schema,
        outside,
        places: Places::new(),
        taken: Taken::new(),
        absent: BTreeSet::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    let values = check.value(&At::new(root, root.at, ""), schema);
    Checked {
        values,
        places: check.places,
        problems: check.problems,
        warnings: check.warnings,
        taken: check.taken,
        absent: check.absent,
    }
}

pub(super) struct Check<'a> {
    source: &'a Source,
    schema: &'a Json,
    outside: Outside<'a>,
    places: Places,
    taken: Taken,
    absent: BTreeSet<usize>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

/// A value and its location.
pub(super) struct At<'a> {
    pub(super) node: &'a Node,
    /// The byte offset of the key, or of the value if it has no key.
    pub(super) at: usize,
    pub(super) path: &'a str,
}

impl<'a> At<'a> {
    pub(super) fn new(node: &'a Node, at: usize, path: &'a str) -> Self {
        Self { node, at, path }
    }
}

impl Check<'_> {
    pub(super) fn problem(&mut self, at: usize, path: &str, message: impl Into<String>) {
        self.problems.push(self.source.problem(at, path, message));
    }

    /// Returns the value if it is valid, or else a substitute.
    fn value(&mut self, here: &At<'_>, schema: &Json) -> Json {
        self.places.insert(here.path.to_owned(), here.at);
        let schema = resolve(self.schema, schema);
        if schema.get("oneOf").is_some() {
            return self.one_of(here, schema);
        }
        if let Value::Text(written) = &here.node.value
            && is_scalar(schema)
            && let Some(converted) = self.converted(here, written, schema)
        {
            return converted;
        }
        if !allows(schema, &here.node.value) {
            let found = here.node.value.kind();
            let message = format!("expected {}, found {found}", expected(schema));
            self.problem(here.node.at, here.path, message);
            return Json::Null;
        }
        match &here.node.value {
            Value::Table(entries) => self.table(here, entries, &[schema]),
            Value::List(nodes) => self.list(here, nodes, schema),
            Value::Text(written) => self.text(here, written, schema),
            Value::Integer(number) => self.number(here, (*number).into(), None, schema),
            Value::Float(number) => match Number::from_f64(*number) {
                Some(number) => self.number(here, number, None, schema),
                None => self.not_finite(here),
            },
            Value::Flag(flag) => (*flag).into(),
            Value::Other(_) => Json::Null,
        }
    }

    /// Validates a table with known keys or with arbitrary keys. Several schemas may define
    /// the known keys.
    pub(super) fn table(&mut self, here: &At<'_>, entries: &[Entry], schemas: &[&Json]) -> Json {
        let mut object = Map::new();
        for entry in entries {
            let path = join(here.path, &entry.key);
            let find = |schema: &&'_ Json| schema["properties"].get(&entry.key).cloned();
            let any = |schema: &&'_ Json| schema.get("additionalProperties").cloned();
            let named = |schema: &&'_ Json| by_ending(schema, &entry.key).cloned();
            let known = schemas.iter().find_map(find);
            let known = known.or_else(|| schemas.iter().find_map(named));
            let any = schemas.iter().find_map(any).filter(Json::is_object);
            if known.is_some() && !is_required(&entry.key, schemas) && self.is_none(&entry.node) {
                self.absent.insert(entry.at);
                continue;
            }
            match known.or(any) {
                Some(schema) => {
                    let at = At::new(&entry.node, entry.at, &path);
                    object.insert(entry.key.clone(), self.value(&at, &schema));
                }
                None => self.unknown(entry, &path, schemas),
            }
        }
        for schema in schemas {
            self.missing(here, entries, schema);
            if schema.get("minProperties").is_some() && entries.is_empty() {
                let message = "the table needs at least one entry";
                self.problem(here.at, here.path, message);
            }
        }
        object.into()
    }

    /// Reports an unknown key.
    pub(super) fn unknown(&mut self, entry: &Entry, path: &str, schemas: &[&Json]) {
        let tables = schemas
            .iter()
            .filter_map(|schema| schema["properties"].as_object());
        let known = tables.flat_map(|table| table.keys().map(String::as_str));
        let known = known.filter(|key| !key.starts_with('$'));
        let known: Vec<&str> = known.collect();
        let mut message = format!("unknown key{}", hint(&entry.key, known.iter().copied()));
        if nearest(&entry.key, known).is_none()
            && let Some(ending) = schemas.iter().find_map(|schema| ending(schema))
            && matches!(entry.node.value, Value::Table(_))
        {
            message = format!(
                "unknown key; the table of a selector has its file name: {:?}",
                format!("{}{ending}", entry.key)
            );
        }
        self.problem(entry.at, path, message);
    }

    fn missing(&mut self, here: &At<'_>, entries: &[Entry], schema: &Json) {
        for key in strings(schema.get("required")) {
            if entries.iter().all(|entry| entry.key != key) {
                let description = schema["properties"][key]["description"].as_str();
                let first = description.and_then(|text| text.split(". ").next());
                let what = first.unwrap_or_default().trim_end_matches('.');
                let message = format!("missing key {key:?}: {what}");
                self.problem(here.at, here.path, message);
            }
        }
    }

    fn list(&mut self, here: &At<'_>, nodes: &[Node], schema: &Json) -> Json {
        let mut list = Vec::new();
        for (place, node) in nodes.iter().enumerate() {
            let path = format!("{}[{place}]", here.path);
            list.push(self.value(&At::new(node, node.at, &path), &schema["items"]));
        }
        list.into()
    }

    fn text(&mut self, here: &At<'_>, written: &str, schema: &Json) -> Json {
        let Some((text, literal)) = self.filled(here, written) else {
            return Json::Null;
        };
        if text.is_empty() && schema.get("minLength").is_some() {
            let message = if literal {
                "the string must not be empty".to_owned()
            } else {
                format!("{written:?} is empty; set the variable or the file to a value")
            };
            self.problem(here.node.at, here.path, message);
        }
        let meaning = schema[MEANING].as_str();
        if let Some(remedy) = foreign::remedy(written) {
            self.foreign(here, meaning.is_some(), remedy);
            if meaning.is_some() {
                return Json::Null;
            }
        }
        let verdict = match meaning {
            Some("url") => Url::check(&text, written),
            Some("time") => Period::parse(&text, written).map(drop),
            Some("secret") => {
                if literal {
                    self.literal_secret(here);
                }
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(message) = verdict {
            self.problem(here.node.at, here.path, message);
        }
        text.into()
    }

    /// Reports a reference in the form of another program: as a mistake in a value that it cannot
    /// be a part of, and otherwise as a warning.
    fn foreign(&mut self, here: &At<'_>, is_mistake: bool, remedy: String) {
        let problem = self.source.problem(here.node.at, here.path, remedy);
        if is_mistake {
            self.problems.push(problem);
        } else {
            self.warnings.push(problem);
        }
    }

    /// Returns `true` for a string that consists of references and is empty without them.
    fn is_none(&self, node: &Node) -> bool {
        let Value::Text(written) = &node.value else {
            return false;
        };
        fill(written, self.outside)
            .is_ok_and(|filled| filled.from_outside && filled.text.is_empty())
    }

    /// Converts a string with references to a number or a boolean. Returns `None` for a literal
    /// string.
    fn converted(&mut self, here: &At<'_>, written: &str, schema: &Json) -> Option<Json> {
        if let Some(remedy) = foreign::remedy(written) {
            self.foreign(here, true, remedy);
            return Some(Json::Null);
        }
        let filled = fill(written, self.outside);
        if filled.as_ref().is_ok_and(|filled| !filled.from_outside) {
            return None;
        }
        let (text, _) = match self.filled(here, written) {
            Some(filled) => filled,
            None => return Some(Json::Null),
        };
        let text = text.trim();
        let flag = || text.to_ascii_lowercase().parse().ok().map(Value::Flag);
        let integer = || text.parse().ok().map(Value::Integer);
        let float = || text.parse().ok().map(Value::Float);
        let value = flag().or_else(integer).or_else(float);
        let value = value.filter(|value| allows(schema, value));
        Some(match value {
            Some(Value::Flag(flag)) => flag.into(),
            Some(Value::Integer(number)) => self.number(here, number.into(), Some(written), schema),
            Some(Value::Float(number)) => match Number::from_f64(number) {
                Some(number) => self.number(here, number, Some(written), schema),
                None => self.not_finite(here),
            },
            _ => {
                let message = format!(
                    "expected {}, found another text in the value of {written:?}",
                    expected(schema)
                );
                self.problem(here.node.at, here.path, message);
                Json::Null
            }
        })
    }

    /// Returns a string with its references replaced, and `true` if it is a literal.
    pub(super) fn filled(&mut self, here: &At<'_>, written: &str) -> Option<(String, bool)> {
        match fill(written, self.outside) {
            Ok(filled) => {
                if filled.from_outside {
                    let taken = TakenValue {
                        value: filled.text.clone(),
                        written: written.to_owned(),
                    };
                    self.taken.insert(here.path.to_owned(), taken);
                }
                Some((filled.text, !filled.from_outside))
            }
            Err(unfilled) => {
                self.problem(here.node.at, here.path, unfilled.to_string());
                None
            }
        }
    }

    fn literal_secret(&mut self, here: &At<'_>) {
        let message = "a secret is written in the file; take it from the environment with \
                       \"${NAME}\", or from a file with \"${file:PATH}\"";
        let warning = self.source.problem(here.node.at, here.path, message);
        self.warnings.push(warning);
    }

    /// Checks the bounds of a number. `written` is the text of a number from outside.
    fn number(
        &mut self,
        here: &At<'_>,
        number: Number,
        written: Option<&str>,
        schema: &Json,
    ) -> Json {
        let bound = |name: &str| schema.get(name).and_then(Json::as_f64);
        let fits = || (schema["format"] == "uint32").then_some(f64::from(u32::MAX));
        let (least, most) = (bound("minimum"), bound("maximum").or_else(fits));
        let value = number.as_f64().unwrap_or_default();
        let shown = written.map_or_else(|| number.to_string(), |written| format!("{written:?}"));
        let message = match (least, most) {
            (Some(least), Some(most)) if value < least || value > most => {
                format!("{shown} is not between {least} and {most}")
            }
            (Some(least), None) if value < least => {
                format!("{shown} is too small; the minimum is {least}")
            }
            _ => return number.into(),
        };
        self.problem(here.node.at, here.path, message);
        Json::Null
    }

    fn not_finite(&mut self, here: &At<'_>) -> Json {
        self.problem(here.node.at, here.path, "expected a finite number");
        Json::Null
    }
}

/// Returns `true` for the schema of a number or a boolean.
fn is_scalar(schema: &Json) -> bool {
    matches!(
        schema["type"].as_str(),
        Some("integer" | "number" | "boolean")
    )
}

/// Returns the ending of the keys that a schema accepts by pattern, such as `.wasm`.
fn ending(schema: &Json) -> Option<&str> {
    let patterns = schema["patternProperties"].as_object()?;
    let pattern = patterns.keys().next()?;
    pattern.strip_prefix('\\')?.strip_suffix('$')
}

/// Returns the schema of the keys with this ending.
fn by_ending<'a>(schema: &'a Json, key: &str) -> Option<&'a Json> {
    let is_named = key.ends_with(ending(schema)?);
    let patterns = schema["patternProperties"].as_object()?;
    patterns.values().next().filter(|_| is_named)
}

fn is_required(key: &str, schemas: &[&Json]) -> bool {
    let mut required = schemas
        .iter()
        .flat_map(|schema| strings(schema.get("required")));
    required.any(|required| required == key)
}

/// Returns the path of a key in a table.
pub(super) fn join(path: &str, key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let key = if key.chars().all(bare) && !key.is_empty() {
        key.to_owned()
    } else {
        format!("{key:?}")
    };
    match path {
        "" => key,
        path => format!("{path}.{key}"),
    }
}
