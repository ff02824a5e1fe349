//! Lists of documents, tools and embedded texts: JSON text in the GenAI conventions, numbered
//! attributes in OpenInference.

use opentelemetry::{KeyValue, Value};
use serde_json::{Map, Number, Value as Json, json};

use super::edit::Edit;
use super::fields::Id;
use super::found::{DOCUMENTS, EMBEDDINGS, TOOLS};
use super::kinds::Kind;
use super::messages::{parsed, text};

/// The maximum number of items that are written as numbered attributes.
const MAX_ITEMS: usize = 256;

pub(super) fn translate(edit: &mut Edit<'_>, kind: &Kind) {
    if edit.dialect.has_open_inference() {
        if let Some(list) = list(edit, Id::Documents, DOCUMENTS) {
            write(edit, &list, DOCUMENTS, document);
            edit.removes(Id::Documents);
        }
        if let Some(list) = list(edit, Id::ToolDefinitions, TOOLS) {
            write(edit, &list, TOOLS, tool);
            edit.removes(Id::ToolDefinitions);
        }
        if kind.is_embedding()
            && let Some(list) = list(edit, Id::Input, EMBEDDINGS)
        {
            write(edit, &list, EMBEDDINGS, embedded);
        }
    }
    if edit.dialect.has_gen_ai() && edit.dialect.has_only_conventions() {
        read(edit, Id::Documents, DOCUMENTS, "document.", read_document);
        read(edit, Id::ToolDefinitions, TOOLS, "tool.", read_tool);
    }
}

/// Returns the list in a JSON text, unless the span has it as numbered attributes.
fn list(edit: &Edit<'_>, id: Id, prefix: &str) -> Option<Vec<Json>> {
    let text = edit
        .found
        .text(id)
        .filter(|_| !edit.found.has_numbered(prefix));
    serde_json::from_str(text?).ok()
}

/// Adds one attribute of an item.
type Add<'a> = &'a mut dyn FnMut(&str, Value);

fn write(edit: &mut Edit<'_>, list: &[Json], prefix: &str, item: fn(&Json, Add<'_>)) {
    for (number, value) in list.iter().take(MAX_ITEMS).enumerate() {
        item(value, &mut |name, value| {
            let key = format!("{prefix}{number}.{name}");
            edit.added.push(KeyValue::new(key, value));
        });
    }
}

fn document(value: &Json, add: Add<'_>) {
    for name in ["id", "content"] {
        if let Some(member) = value.get(name) {
            add(&format!("document.{name}"), text(member).into());
        }
    }
    if let Some(score) = value["score"].as_f64() {
        add("document.score", score.into());
    }
    if let Some(metadata) = value.get("metadata") {
        add("document.metadata", text(metadata).into());
    }
}

fn tool(value: &Json, add: Add<'_>) {
    let name = value.get("name").or_else(|| value["function"].get("name"));
    if let Some(name) = name {
        add("tool.name", text(name).into());
    }
    // A definition with nothing but a name has no schema.
    let has_more = value.get("parameters").or(value.get("function")).is_some();
    if has_more {
        add("tool.json_schema", value.to_string().into());
    }
}

fn embedded(value: &Json, add: Add<'_>) {
    add("embedding.text", text(value).into());
}

fn read(
    edit: &mut Edit<'_>,
    id: Id,
    prefix: &str,
    member: &str,
    item: fn(&[(&str, &Value)]) -> Json,
) {
    if edit.found.value(id).is_some() || !edit.found.has_numbered(prefix) {
        return;
    }
    let numbered = edit.found.numbered(prefix);
    let items = numbered.values().map(|attributes| {
        let named: Vec<_> = attributes
            .iter()
            .map(|(name, value)| (name.strip_prefix(member).unwrap_or(name), *value))
            .collect();
        item(&named)
    });
    let list: Json = items.collect();
    edit.write(id, list.to_string());
    edit.replaces_numbered(prefix);
}

fn read_document(attributes: &[(&str, &Value)]) -> Json {
    let mut document = Map::new();
    for (name, value) in attributes {
        let value = match value {
            Value::F64(score) => Number::from_f64(*score).map_or(Json::Null, Json::Number),
            Value::I64(score) => (*score).into(),
            other if *name == "metadata" => parsed(&other.to_string()),
            other => other.to_string().into(),
        };
        document.insert((*name).to_owned(), value);
    }
    Json::Object(document)
}

fn read_tool(attributes: &[(&str, &Value)]) -> Json {
    let find = |name: &str| attributes.iter().find(|(known, _)| *known == name);
    if let Some((_, schema)) = find("json_schema") {
        let mut schema = parsed(&schema.to_string());
        if schema.is_object() {
            // The conventions have the members of a function on the definition itself.
            if let Some(function) = schema["function"].as_object().cloned()
                && let Some(members) = schema.as_object_mut()
            {
                members.remove("function");
                members.extend(function);
            }
            return schema;
        }
    }
    let name = find("name").map_or_else(String::new, |(_, name)| name.to_string());
    json!({"type": "function", "name": name})
}
