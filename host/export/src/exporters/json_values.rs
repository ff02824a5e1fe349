//! Values in OTLP JSON, read leniently.

use serde_json::{Map, Value as Json};

use crate::base64_text;

/// Returns a field by its name in camel case, or by the same name with underscores.
pub(super) fn field<'a>(of: &'a Map<String, Json>, name: &str) -> Option<&'a Json> {
    let found = of.get(name).or_else(|| {
        let letters = name.chars().flat_map(|c| {
            let underscore = c.is_ascii_uppercase().then_some('_');
            underscore.into_iter().chain([c.to_ascii_lowercase()])
        });
        of.get(&letters.collect::<String>())
    });
    found.filter(|value| !value.is_null())
}

/// Iterates over the objects of an array.
pub(super) fn list<'a>(
    of: &'a Map<String, Json>,
    name: &str,
) -> impl Iterator<Item = &'a Map<String, Json>> + use<'a> {
    let list = field(of, name).and_then(Json::as_array);
    list.into_iter().flatten().filter_map(Json::as_object)
}

pub(super) fn text(of: &Map<String, Json>, name: &str) -> String {
    let text = field(of, name).and_then(Json::as_str);
    text.unwrap_or_default().to_owned()
}

/// Returns an integer that is a number or a text.
pub(super) fn integer(value: &Json) -> Option<i128> {
    match value {
        Json::String(text) => text.trim().parse().ok(),
        Json::Number(number) => {
            let integer = number
                .as_i128()
                .or_else(|| number.as_u128().map(|n| n as i128));
            // Programs without large integers write times as floats.
            integer.or_else(|| number.as_f64().map(|float| float as i128))
        }
        _ => None,
    }
}

/// Returns the bytes of an id in hexadecimal or in Base64.
pub(super) fn bytes<const N: usize>(value: &Json) -> Option<[u8; N]> {
    let text = value.as_str()?.trim();
    let text = text.strip_prefix("0x").unwrap_or(text);
    let bytes = if text.len() == 2 * N {
        hexadecimal(text)
    } else {
        base64_text::decode(text.trim_end_matches('=').as_bytes())
    };
    bytes?.try_into().ok()
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| {
        let value = 16 * digit(*pair.first()?)? + digit(*pair.get(1)?)?;
        u8::try_from(value).ok()
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

/// Converts the value of an attribute to JSON: an array, a map, or a plain value. Bytes stay in
/// Base64.
pub(super) fn any_value(value: &Json) -> Json {
    let Some(object) = value.as_object() else {
        return value.clone();
    };
    if let Some(integer) = field(object, "intValue").and_then(integer) {
        return i64::try_from(integer).map_or(Json::Null, Json::from);
    }
    if let Some(array) = field(object, "arrayValue").and_then(Json::as_object) {
        let items = field(array, "values").and_then(Json::as_array);
        return items.into_iter().flatten().map(any_value).collect();
    }
    if let Some(map) = field(object, "kvlistValue").and_then(Json::as_object) {
        let entry = |entry: &Map<String, Json>| {
            let value = field(entry, "value").map_or(Json::Null, any_value);
            (text(entry, "key"), value)
        };
        return Json::Object(list(map, "values").map(entry).collect());
    }
    let plain = ["stringValue", "boolValue", "doubleValue", "bytesValue"];
    let found = plain.iter().find_map(|name| field(object, name));
    found.cloned().unwrap_or(Json::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_accepts_hexadecimal_and_base64() {
        let id = [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xff];
        for text in [
            "00f067aa0ba902ff",
            "00F067AA0BA902FF",
            "0x00f067aa0ba902ff",
            "APBnqgupAv8=",
            "APBnqgupAv8",
            "APBnqgupAv8 ",
        ] {
            assert_eq!(bytes(&json!(text)), Some(id), "{text}");
        }
        let other = [0xfb, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xff];
        for text in ["+/BnqgupAv8=", "-_BnqgupAv8"] {
            assert_eq!(bytes(&json!(text)), Some(other), "{text}");
        }
        for wrong in [json!("00f067aa0ba902"), json!("zz"), json!(""), json!(7)] {
            assert_eq!(bytes::<8>(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn any_value_becomes_json() {
        for (value, shown) in [
            (json!({"stringValue": "a"}), json!("a")),
            (json!({"string_value": "a"}), json!("a")),
            (json!({"boolValue": true}), json!(true)),
            (json!({"intValue": "7"}), json!(7)),
            (json!({"intValue": -7}), json!(-7)),
            (json!({"doubleValue": 0.5}), json!(0.5)),
            (json!({"doubleValue": "NaN"}), json!("NaN")),
            (json!({"bytesValue": "AQI="}), json!("AQI=")),
            (
                json!({"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}]}}),
                json!(["a", 1]),
            ),
            (
                json!({"kvlistValue": {"values": [{"key": "k", "value": {"arrayValue": {}}}, {"key": "n"}]}}),
                json!({"k": [], "n": null}),
            ),
            (json!({}), Json::Null),
        ] {
            assert_eq!(any_value(&value), shown, "{value}");
        }
    }
}
