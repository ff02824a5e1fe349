//! Parses JSON into values with positions.

use jsonc_parser::ast::{self, ObjectProp};
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::document::{Entry, Mistake, Node, Value, twice};

/// Strict JSON. Use TOML for a configuration with comments.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Parses a complete document, or returns the syntax error.
pub(super) fn parse(text: &str) -> Result<Node, Vec<Mistake>> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT);
    let parsed = parsed.map_err(|error| {
        let message = format!("invalid JSON: {}", error.kind());
        vec![not_json(error.range().start, message)]
    })?;
    let mut mistakes = Vec::new();
    let root = parsed.value.map(|value| node(value, &mut mistakes));
    match root {
        Some(root) if matches!(root.value, Value::Table(_)) && mistakes.is_empty() => Ok(root),
        Some(root) if mistakes.is_empty() => {
            let message = format!("expected an object, found {}", root.value.kind());
            Err(vec![not_json(root.at, message)])
        }
        _ => Err(mistakes),
    }
}

fn not_json(at: usize, message: String) -> Mistake {
    Mistake {
        at,
        message,
        twice: false,
    }
}

fn node(value: ast::Value<'_>, mistakes: &mut Vec<Mistake>) -> Node {
    let at = value.range().start;
    let value = match value {
        ast::Value::StringLit(text) => Value::Text(text.value.into_owned()),
        ast::Value::NumberLit(number) => self::number(number.value),
        ast::Value::BooleanLit(flag) => Value::Flag(flag.value),
        ast::Value::NullKeyword(_) => Value::Other("null"),
        ast::Value::Array(list) => {
            let nodes = list.elements.into_iter().map(|value| node(value, mistakes));
            Value::List(nodes.collect())
        }
        ast::Value::Object(object) => entries(object.properties, mistakes),
    };
    Node { at, value }
}

fn entries(properties: Vec<ObjectProp<'_>>, mistakes: &mut Vec<Mistake>) -> Value {
    let mut entries: Vec<Entry> = Vec::new();
    for property in properties {
        let at = property.range.start;
        let key = property.name.into_string();
        if entries.iter().any(|entry| entry.key == key) {
            mistakes.push(twice(at, &key));
        }
        let node = self::node(property.value, mistakes);
        entries.push(Entry { key, at, node });
    }
    Value::Table(entries)
}

fn number(text: &str) -> Value {
    match (text.parse(), text.parse()) {
        (Ok(number), _) => Value::Integer(number),
        (_, Ok(number)) => Value::Float(number),
        _ => Value::Other("a number that is too large"),
    }
}
