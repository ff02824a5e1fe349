//! Attributes in OTLP JSON with both spellings of its field names.

use serde_json::{Map, Value};

/// Returns the attributes of a span as plain JSON.
pub fn attributes(span: &Value) -> Map<String, Value> {
    pairs(&span["attributes"])
}

fn pairs(list: &Value) -> Map<String, Value> {
    let pairs = list.as_array().map_or(&[][..], Vec::as_slice);
    let pair = |pair: &Value| Some((pair["key"].as_str()?.to_owned(), plain(&pair["value"])));
    pairs.iter().filter_map(pair).collect()
}

fn plain(value: &Value) -> Value {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else {
        return Value::Null;
    };
    match kind.replace('_', "").to_lowercase().as_str() {
        "intvalue" => integer(value),
        "kvlistvalue" => Value::Object(pairs(&value["values"])),
        "arrayvalue" => {
            let values = value["values"].as_array().map_or(&[][..], Vec::as_slice);
            values.iter().map(plain).collect()
        }
        _ => value.clone(),
    }
}

/// OTLP JSON encodes 64-bit integers as strings.
fn integer(value: &Value) -> Value {
    match value.as_str().and_then(|text| text.parse::<i64>().ok()) {
        Some(number) => number.into(),
        None => value.clone(),
    }
}
