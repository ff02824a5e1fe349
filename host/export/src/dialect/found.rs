//! Finds the fields of a span.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use opentelemetry::{KeyValue, Value};

use super::fields::{FIELDS, Id, Shape};

/// The prefixes of numbered attributes.
pub(super) const INPUT_MESSAGES: &str = "llm.input_messages.";
pub(super) const OUTPUT_MESSAGES: &str = "llm.output_messages.";
pub(super) const TOOLS: &str = "llm.tools.";
pub(super) const DOCUMENTS: &str = "retrieval.documents.";
pub(super) const EMBEDDINGS: &str = "embedding.embeddings.";
pub(super) const PROMPTS: &str = "gen_ai.prompt.";
pub(super) const COMPLETIONS: &str = "gen_ai.completion.";
pub(super) const OLDER_PROMPTS: &str = "llm.prompts.";
pub(super) const OLDER_COMPLETIONS: &str = "llm.completions.";

const PREFIXES: [&str; 9] = [
    INPUT_MESSAGES,
    OUTPUT_MESSAGES,
    TOOLS,
    DOCUMENTS,
    EMBEDDINGS,
    PROMPTS,
    COMPLETIONS,
    OLDER_PROMPTS,
    OLDER_COMPLETIONS,
];

/// The names of all fields.
#[derive(Debug)]
pub(super) struct Names {
    /// The number of each name.
    numbers: HashMap<&'static str, usize, RandomState>,
    /// The numbers of the names of each field, in the order in which they are read.
    of_fields: Vec<Vec<usize>>,
    shapes: HashMap<&'static str, Shape, RandomState>,
}

impl Names {
    pub(super) fn new() -> Self {
        let mut numbers = HashMap::<_, _, RandomState>::default();
        let mut number = |name| {
            let next = numbers.len();
            *numbers.entry(name).or_insert(next)
        };
        let of_fields = FIELDS
            .iter()
            .map(|field| field.names().map(&mut number).collect())
            .collect();
        let shapes = FIELDS
            .iter()
            .flat_map(|field| field.names().map(|name| (name, field.shape)))
            .collect();
        Self {
            numbers,
            of_fields,
            shapes,
        }
    }

    /// Returns the type of the field with this name.
    pub(super) fn shape(&self, name: &str) -> Option<Shape> {
        self.shapes.get(name).copied()
    }
}

/// The attributes of one span, by field.
pub(super) struct Found<'a> {
    names: &'a Names,
    attributes: &'a [KeyValue],
    /// The position of each name. The last attribute with a name wins.
    at: Vec<Option<u16>>,
    any: bool,
    prefixes: [bool; PREFIXES.len()],
}

/// Numbered attributes by number, each with the rest of its key.
pub(super) type Numbered<'a> = BTreeMap<usize, Vec<(&'a str, &'a Value)>>;

impl<'a> Found<'a> {
    pub(super) fn new(names: &'a Names, attributes: &'a [KeyValue]) -> Self {
        let mut found = Self {
            names,
            attributes,
            at: Vec::new(),
            any: false,
            prefixes: [false; PREFIXES.len()],
        };
        for (position, attribute) in attributes.iter().enumerate() {
            found.examine(position, attribute.key.as_str());
        }
        found
    }

    fn examine(&mut self, position: usize, key: &str) {
        if let Some(number) = self.names.numbers.get(key) {
            // Most spans have none, and need no list.
            self.at.resize(self.names.numbers.len(), None);
            self.at[*number] = u16::try_from(position).ok();
            self.any = true;
            return;
        }
        for (number, prefix) in PREFIXES.iter().enumerate() {
            if key.starts_with(prefix) && numbered(key, prefix).is_some() {
                self.prefixes[number] = true;
                self.any = true;
            }
        }
    }

    /// Returns `true` if the span has any field.
    pub(super) fn any(&self) -> bool {
        self.any
    }

    fn position(&self, number: usize) -> Option<usize> {
        self.at.get(number).copied().flatten().map(usize::from)
    }

    /// Returns the positions of all attributes of a field.
    pub(super) fn positions(&self, id: Id) -> impl Iterator<Item = usize> + '_ {
        let numbers = &self.names.of_fields[id as usize];
        numbers.iter().filter_map(|number| self.position(*number))
    }

    /// Returns the value of a field.
    pub(super) fn value(&self, id: Id) -> Option<&'a Value> {
        let position = self.positions(id).next()?;
        Some(&self.attributes[position].value)
    }

    /// Returns the text of a field.
    pub(super) fn text(&self, id: Id) -> Option<&'a str> {
        match self.value(id)? {
            Value::String(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// Returns the number of a field, also from its text.
    pub(super) fn number(&self, id: Id) -> Option<f64> {
        match self.value(id)? {
            Value::I64(number) => Some(*number as f64),
            Value::F64(number) => Some(*number),
            Value::String(text) => text.as_str().trim().parse().ok(),
            _ => None,
        }
    }

    /// Returns the position of the attribute with this name of a field.
    pub(super) fn position_of(&self, name: &str) -> Option<usize> {
        self.position(*self.names.numbers.get(name)?)
    }

    /// Returns `true` if the span has an attribute with this name of a field.
    pub(super) fn has(&self, name: &str) -> bool {
        self.position_of(name).is_some()
    }

    /// Returns `true` if the span has numbered attributes with this prefix.
    pub(super) fn has_numbered(&self, prefix: &str) -> bool {
        let number = PREFIXES.iter().position(|known| *known == prefix);
        number.is_some_and(|number| self.prefixes[number])
    }

    /// Returns the numbered attributes with this prefix.
    pub(super) fn numbered(&self, prefix: &str) -> Numbered<'a> {
        let mut all = Numbered::new();
        if self.has_numbered(prefix) {
            for attribute in self.attributes {
                if let Some((number, rest)) = numbered(attribute.key.as_str(), prefix) {
                    let of_number = all.entry(number).or_default();
                    of_number.push((rest, &attribute.value));
                }
            }
        }
        all
    }

    /// Returns the positions of the numbered attributes with this prefix.
    pub(super) fn positions_of_numbered(&self, prefix: &str) -> Vec<usize> {
        if !self.has_numbered(prefix) {
            return Vec::new();
        }
        let all = self.attributes.iter().enumerate();
        all.filter(|(_, of)| numbered(of.key.as_str(), prefix).is_some())
            .map(|(position, _)| position)
            .collect()
    }
}

/// Splits `PREFIX7.rest` into 7 and `rest`.
fn numbered<'a>(key: &'a str, prefix: &str) -> Option<(usize, &'a str)> {
    let (number, rest) = key.strip_prefix(prefix)?.split_once('.')?;
    Some((number.parse().ok()?, rest))
}
