//! Shortens JSON so that it stays valid JSON.

use serde_json::{Map, Value};

use super::{MARK, SHORTEST, level, messages};

/// Shortens a JSON text. Returns `None` for any other text.
pub(crate) fn shortened(text: &str, most: usize) -> Option<String> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let mut value: Value = serde_json::from_str(text).ok()?;
    shorten(&mut value, most);
    Some(value.to_string())
}

/// Shortens the longest texts, and leaves out items if that is not enough.
pub(super) fn shorten(value: &mut Value, most: usize) {
    cut_texts(value, most);
    if size(value) <= most {
        return;
    }
    match messages::of(value) {
        Some(list) => messages::shorten(list, most),
        None => leave_out(value, most),
    }
}

pub(super) fn size(value: &Value) -> usize {
    // Writing the text is the simplest exact way. It happens only to oversized values.
    value.to_string().len()
}

fn cut_texts(value: &mut Value, most: usize) {
    let excess = size(value).saturating_sub(most);
    if excess == 0 {
        return;
    }
    let mut lengths = Vec::new();
    each_text(value, &mut |text| lengths.push(escaped(text)));
    let level = level(lengths, excess);
    each_text(value, &mut |text| {
        if escaped(text) > level {
            *text = cut(text, level);
        }
    });
}

fn each_text(value: &mut Value, visit: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, visit)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| each_text(member, visit)),
        _ => {}
    }
}

/// Returns the length of a text in JSON, without the quotes.
fn escaped(text: &str) -> usize {
    text.chars().map(escaped_char).sum()
}

fn escaped_char(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if u32::from(c) < 0x20 => 6,
        c => c.len_utf8(),
    }
}

fn cut(text: &str, most: usize) -> String {
    let mut length = 0;
    let end = text.char_indices().find(|(_, c)| {
        length += escaped_char(*c);
        length > most - MARK
    });
    let (kept, rest) = text.split_at(end.map_or(text.len(), |(end, _)| end));
    format!("{kept}…[+{}]", rest.chars().count())
}

/// Leaves out the last items of an array and the largest members of an object.
fn leave_out(value: &mut Value, most: usize) {
    match value {
        Value::Array(items) => leave_out_items(items, most),
        Value::Object(members) => leave_out_members(members, most),
        _ => {}
    }
}

fn leave_out_items(items: &mut Vec<Value>, most: usize) {
    if let [item] = &mut items[..] {
        leave_out(item, most.saturating_sub(2));
    }
    let mut length = 1;
    let kept = items.iter().take_while(|item| {
        length += size(item) + 1;
        length <= most
    });
    let kept = kept.count();
    items.truncate(kept);
}

fn leave_out_members(members: &mut Map<String, Value>, most: usize) {
    let mut sizes: Vec<_> = members
        .iter()
        .map(|(name, member)| (size(member), name.clone()))
        .collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let names: usize = sizes.iter().map(|(_, name)| escaped(name) + 4).sum();
    let mut length = 1 + names + sizes.iter().map(|(size, _)| size).sum::<usize>();
    for (member_size, name) in sizes {
        if length <= most {
            return;
        }
        let Some(member) = members.get_mut(&name) else {
            continue;
        };
        let room = member_size.saturating_sub(length - most);
        if room >= SHORTEST {
            leave_out(member, room);
        }
        let left = size(member);
        if left < member_size && left <= room {
            length -= member_size - left;
        } else {
            length -= member_size + escaped(&name) + 4;
            members.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_of_any_shape_fits_and_is_valid() {
        let long = "x\n\"ä".repeat(2_000);
        let many: Vec<Value> = (0..2_000).map(|number| json!({"number": number})).collect();
        for value in [
            json!({"a": long, "b": 1, "c": [true, null, "short"]}),
            json!([long, long, long]),
            json!(many),
            json!({"rows": many, "note": long}),
            json!({"deep": {"rows": [many]}}),
            json!([[[many]]]),
            json!({long.clone(): long.clone(), "kept": 1}),
        ] {
            let whole = value.to_string();
            for most in [2, 10, 80, 200, 1_000, 7_000] {
                let short = shortened(&whole, most).unwrap();
                assert!(short.len() <= most, "{most}: {} bytes", short.len());
                let read: Value = serde_json::from_str(&short).unwrap();
                assert_eq!(read.is_array(), value.is_array());
            }
            assert_eq!(shortened(&whole, whole.len()), Some(value.to_string()));
        }
    }

    #[test]
    fn longest_text_is_cut_first_and_marked() {
        let value = json!({"long": "y".repeat(500), "short": "z".repeat(90)});
        let short: Value =
            serde_json::from_str(&shortened(&value.to_string(), 400).unwrap()).unwrap();
        assert_eq!(short["short"], value["short"]);
        assert!(short["long"].as_str().unwrap().ends_with("]"), "{short}");
        assert!(short["long"].as_str().unwrap().contains("…[+"), "{short}");
    }
}
