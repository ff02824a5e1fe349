//! Parses TOML into values with positions.

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue, Error};

use super::document::{Entry, Mistake, Node, Value, twice};

/// Parses a complete document, or returns its syntax errors. Only the first error of each
/// line is returned, because later ones on the line are usually caused by it.
pub(super) fn parse(text: &str) -> Result<Node, Vec<Mistake>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(Node {
            at: 0,
            value: entries(table.into_inner()),
        });
    }
    let line = |at: usize| text.get(..at).map(|before| before.matches('\n').count());
    let mut mistakes: Vec<_> = errors.iter().map(|error| mistake(text, error)).collect();
    mistakes.sort_by_key(|mistake| mistake.at);
    mistakes.dedup_by_key(|mistake| line(mistake.at));
    // The keys of a duplicate table are usually duplicates too.
    let mut again = false;
    mistakes.retain(|mistake| !mistake.twice || !std::mem::replace(&mut again, true));
    Err(mistakes)
}

fn mistake(text: &str, error: &Error) -> Mistake {
    let span = error.span().unwrap_or_default();
    if error.message() == "duplicate key" {
        let key = text.get(span.clone()).unwrap_or_default();
        return twice(span.start, key.trim_matches(['"', '\'']));
    }
    Mistake {
        at: span.start,
        message: format!("invalid TOML: {}", error.message()),
        twice: false,
    }
}

/// Restores the file order by position, because the parser sorts keys by name.
fn entries(table: DeTable<'_>) -> Value {
    let entry = |(key, node): (Spanned<_>, Spanned<_>)| Entry {
        at: key.span().start,
        key: String::from(key.into_inner()),
        node: self::node(node),
    };
    let mut entries: Vec<_> = table.into_iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.at);
    Value::Table(entries)
}

fn node(node: Spanned<DeValue<'_>>) -> Node {
    Node {
        at: node.span().start,
        value: value(node.into_inner()),
    }
}

fn value(value: DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("a number that is too large"), Value::Integer),
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .map_or(Value::Other("a number that is too large"), Value::Float),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(_) => Value::Other("a date or time"),
        DeValue::Array(list) => Value::List(list.into_iter().map(node).collect()),
        DeValue::Table(table) => entries(table),
    }
}
