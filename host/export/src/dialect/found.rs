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

/// A numbered attribute.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// The key after the number.
    pub(super) name: &'a str,
    pub(super) value: &'a Value,
    /// The position among the attributes of the span.
    pub(super) position: usize,
}

/// Numbered attributes by number.
pub(super) type Numbered<'a> = BTreeMap<usize, Vec<Part<'a>>>;

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

    /// Returns the value of an attribute.
    pub(super) fn at(&self, position: usize) -> &'a Value {
        &self.attributes[position].value
    }

    /// Returns the value of a field, and the position of its attribute.
    pub(super) fn first(&self, id: Id) -> Option<(usize, &'a Value)> {
        let position = self.positions(id).next()?;
        Some((position, self.at(position)))
    }

    /// Returns the value of a field.
    pub(super) fn value(&self, id: Id) -> Option<&'a Value> {
        self.first(id).map(|(_, value)| value)
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

    /// Returns `true` if the span has an attribute with this key.
    pub(super) fn has(&self, key: &str) -> bool {
        match self.names.numbers.get(key) {
            Some(number) => self.position(*number).is_some(),
            None => self.attributes.iter().any(|of| of.key.as_str() == key),
        }
    }

    /// Returns the positions of the attributes whose keys fulfil a condition.
    pub(super) fn positions_of_keys(&self, is: impl Fn(&str) -> bool) -> Vec<usize> {
        let all = self.attributes.iter().enumerate();
        let found = all.filter(|(_, of)| is(of.key.as_str()));
        found.map(|(position, _)| position).collect()
    }

    /// Returns the key of an attribute.
    pub(super) fn key(&self, position: usize) -> &'a str {
        self.attributes[position].key.as_str()
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
            for (position, attribute) in self.attributes.iter().enumerate() {
                if let Some((number, name)) = numbered(attribute.key.as_str(), prefix) {
                    let value = &attribute.value;
                    let of_number = all.entry(number).or_default();
                    of_number.push(Part {
                        name,
                        value,
                        position,
                    });
                }
            }
        }
        all
    }
}

/// Splits `PREFIX7.rest` into 7 and `rest`.
fn numbered<'a>(key: &'a str, prefix: &str) -> Option<(usize, &'a str)> {
    let (number, rest) = key.strip_prefix(prefix)?.split_once('.')?;
    Some((number.parse().ok()?, rest))
}
