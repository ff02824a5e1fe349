//! Lists of documents, tools and embedded texts: JSON text in the GenAI conventions, numbered
//! attributes in OpenInference.

use opentelemetry::Value;
use serde_json::{Map, Number, Value as Json};

use super::edit::Edit;
use super::fields::Id;
use super::found::{DOCUMENTS, EMBEDDINGS, Part, TOOLS};
use super::kinds::Kind;
use super::messages::{has_only, parsed, text};

/// The maximum number of items that are written as numbered attributes.
const MAX_ITEMS: usize = 256;

pub(super) fn translate(edit: &mut Edit<'_>, kind: &Kind) {
    if edit.dialect.has_open_inference() {
        write(edit, Id::Documents, DOCUMENTS, document);
        write(edit, Id::ToolDefinitions, TOOLS, tool);
        if kind.is_embedding() {
            write(edit, Id::Input, EMBEDDINGS, embedded);
        }
    }
    if edit.dialect.has_gen_ai() && edit.dialect.has_only_conventions() {
        read(edit, Id::Documents, DOCUMENTS, "document.", read_document);
        read(edit, Id::ToolDefinitions, TOOLS, "tool.", read_tool);
    }
}

/// Adds one attribute of an item.
type Add<'a> = &'a mut dyn FnMut(&str, Value);

/// Writes an item. Returns `true` if it is complete.
type Item = fn(&Json, Add<'_>) -> bool;

/// Writes the list in a JSON text, unless the span has it as numbered attributes.
fn write(edit: &mut Edit<'_>, id: Id, prefix: &str, item: Item) {
    let Some((source, value @ Value::String(text))) = edit.found.first(id) else {
        return;
    };
    let list: Option<Vec<Json>> = serde_json::from_str(text.as_str()).ok();
    let Some(list) = list.filter(|_| !edit.found.has_numbered(prefix)) else {
        return;
    };
    let mut is_complete = list.len() <= MAX_ITEMS;
    for (number, value) in list.iter().take(MAX_ITEMS).enumerate() {
        is_complete &= item(value, &mut |name, value| {
            let key = format!("{prefix}{number}.{name}");
            edit.add_new(key, value, Some(source));
        });
    }
    // The texts of an embedding are its input as well.
    if is_complete && id != Id::Input {
        edit.retire(id, value);
    }
}

fn document(value: &Json, add: Add<'_>) -> bool {
    for name in ["id", "content"] {
        if let Some(member) = value.get(name) {
            add(&format!("document.{name}"), text(member).into());
        }
    }
    let score = value["score"].as_f64();
    if let Some(score) = score {
        add("document.score", score.into());
    }
    if let Some(metadata) = value.get("metadata") {
        add("document.metadata", text(metadata).into());
    }
    let has_score = score.is_some() || value.get("score").is_none();
    has_score && has_only(value, &["id", "content", "score", "metadata"])
}

fn tool(value: &Json, add: Add<'_>) -> bool {
    let name = value.get("name").or_else(|| value["function"].get("name"));
    if let Some(name) = name {
        add("tool.name", text(name).into());
    }
    // A definition with nothing but a name has no schema.
    let has_type = value.get("type").is_none_or(|kind| kind == "function");
    if name.is_none() || !has_type || !has_only(value, &["name", "type"]) {
        add("tool.json_schema", value.to_string().into());
    }
    true
}

fn embedded(value: &Json, add: Add<'_>) -> bool {
    add("embedding.text", text(value).into());
    true
}

/// Reads an item from the names and the values of its attributes, and notes the positions of those
/// that are in it.
type ReadItem = fn(&[Part<'_>], &mut Vec<usize>) -> Json;

fn read(edit: &mut Edit<'_>, id: Id, prefix: &str, member: &str, item: ReadItem) {
    if edit.found.value(id).is_some() || !edit.found.has_numbered(prefix) {
        return;
    }
    let mut positions = Vec::new();
    let numbered = edit.found.numbered(prefix);
    let items = numbered.values().map(|parts| {
        let named = parts.iter().map(|part| Part {
            name: part.name.strip_prefix(member).unwrap_or(part.name),
            ..*part
        });
        item(&named.collect::<Vec<_>>(), &mut positions)
    });
    let list: Json = items.collect();
    edit.combined.extend(&positions);
    edit.write(id, list.to_string(), None);
    edit.remove(positions);
}

fn read_document(parts: &[Part<'_>], positions: &mut Vec<usize>) -> Json {
    let mut document = Map::new();
    for part in parts {
        let value = match part.value {
            Value::F64(score) => Number::from_f64(*score).map_or(Json::Null, Json::Number),
            Value::I64(score) => (*score).into(),
            other if part.name == "metadata" => parsed(&other.to_string()),
            other => other.to_string().into(),
        };
        document.insert(part.name.to_owned(), value);
        positions.push(part.position);
    }
    Json::Object(document)
}

fn read_tool(parts: &[Part<'_>], positions: &mut Vec<usize>) -> Json {
    let find = |name: &str| parts.iter().find(|part| part.name == name);
    let mut tool = Map::new();
    if let Some(part) = find("json_schema")
        && let Json::Object(mut schema) = parsed(&part.value.to_string())
    {
        // The conventions have the members of a function on the definition itself.
        if let Some(Json::Object(function)) = schema.get("function").cloned() {
            schema.remove("function");
            schema.extend(function);
        }
        tool = schema;
        positions.push(part.position);
    }
    for name in ["name", "description"] {
        let Some(part) = find(name) else { continue };
        let value = Json::from(part.value.to_string());
        if *tool.entry(name).or_insert(value.clone()) == value {
            positions.push(part.position);
        }
    }
    tool.entry("type").or_insert("function".into());
    Json::Object(tool)
}
