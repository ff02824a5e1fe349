//! The JSON schema of a configuration file, generated from the types in `shape`.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Value, json};

use super::destinations::{OWN_KEYS, USE};
use super::document;
use super::shape::File;
use super::values::MEANING;

/// Generates the schema, in draft 2020-12.
pub(super) fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(Plain);
    settings
        .into_generator()
        .into_root_schema_for::<File>()
        .into()
}

/// Generates the schema for editors, which also accept a reference in place of a number or a
/// boolean.
pub(super) fn published() -> Value {
    let mut schema = schema();
    uses(&mut schema);
    let mut schema = Schema::try_from(schema).unwrap_or_default();
    References.transform(&mut schema);
    schema.into()
}

/// Accepts the name or the use of an exporter in place of its table. The validation replaces them before.
fn uses(schema: &mut Value) {
    let exporter = &schema["$defs"]["ExporterTable"]["properties"];
    let mut properties = serde_json::Map::new();
    for key in OWN_KEYS {
        properties.insert(key.to_owned(), exporter[key].clone());
    }
    let name =
        json!({ "type": "string", "description": "The name of an exporter of `exporters`." });
    properties.insert(USE.to_owned(), name.clone());
    schema["$defs"]["ExporterUse"] = json!({
        "description": "The use of an exporter. Its settings replace those of the exporter.",
        "type": "object",
        "properties": properties,
        "required": [USE],
        "additionalProperties": false,
    });
    let tables =
        ["ExporterUse", "ExporterTable"].map(|it| json!({ "$ref": format!("#/$defs/{it}") }));
    let choice = json!([name, tables[0], tables[1]]);
    let tracer = &mut schema["$defs"]["TracerTable"]["properties"];
    tracer["exporters"]["items"] = json!({ "oneOf": choice });
    let description = tracer["exporter"]["description"].clone();
    tracer["exporter"] = json!({ "description": description, "oneOf": choice });
}

/// Accepts strings with a reference for numbers and booleans.
struct References;

impl Transform for References {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else {
            return;
        };
        let kind = object.get("type").and_then(Value::as_str);
        if let Some(kind @ ("integer" | "number" | "boolean")) = kind {
            let types = serde_json::json!([kind, "string"]);
            object.insert("type".to_owned(), types);
            object.insert("pattern".to_owned(), r"\$\{".into());
        }
    }
}

/// Simplifies the generated schema. Optional keys are omitted instead of null: TOML has no
/// null, and JSON does not need it here. Empty defaults and line breaks in descriptions are
/// removed too.
#[derive(Clone)]
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else {
            return;
        };
        object.remove("default");
        if let Some(Value::String(description)) = object.get_mut("description") {
            *description = description.replace('\n', " ");
        }
        let types = object.get_mut("type").and_then(Value::as_array_mut);
        if let Some(types) = types {
            types.retain(|kind| kind != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                object.insert("type".to_owned(), only);
            }
        }
        let some = match object
            .get("anyOf")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
        {
            Some([Value::Object(some), null]) if null["type"] == "null" => Some(some.clone()),
            _ => None,
        };
        if let Some(some) = some {
            object.remove("anyOf");
            for (key, value) in some {
                object.entry(key).or_insert(value);
            }
        }
    }
}

/// Resolves a schema reference. A schema that is not a reference resolves to itself.
pub(super) fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let name = schema["$ref"].as_str();
    let name = name.and_then(|name| name.strip_prefix("#/$defs/"));
    name.and_then(|name| root["$defs"].get(name))
        .unwrap_or(schema)
}

/// Returns `true` if the schema allows the type of the value.
pub(super) fn allows(schema: &Value, found: &document::Value) -> bool {
    use document::Value as Found;
    types(schema).any(|kind| match found {
        Found::Flag(_) => kind == "boolean",
        Found::Integer(_) => kind == "integer" || kind == "number",
        Found::Float(_) => kind == "number",
        Found::Text(_) => kind == "string",
        Found::List(_) => kind == "array",
        Found::Table(_) => kind == "object",
        Found::Other(_) => false,
    })
}

/// Describes the values that the schema expects, for error messages.
pub(super) fn expected(schema: &Value) -> String {
    if schema[MEANING] == "time" {
        return "a duration such as \"100ms\" or \"5s\"".to_owned();
    }
    let name = |kind: &str| match kind {
        "string" => "a string",
        "integer" => "an integer",
        "number" => "a number",
        "boolean" => "a boolean",
        "array" => "an array",
        _ => "a table",
    };
    let names: Vec<_> = types(schema).map(name).collect();
    names.join(" or ")
}

fn types(schema: &Value) -> impl Iterator<Item = &str> {
    let kind = &schema["type"];
    kind.as_str().into_iter().chain(strings(Some(kind)))
}

/// Iterates over the strings of an array.
pub(super) fn strings(list: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = list.and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

/// Returns the `type` of a variant, if it has one.
pub(super) fn tag(variant: &Value) -> Option<&str> {
    variant["properties"]["type"]["const"].as_str()
}

/// Iterates over the variants that are plain words.
pub(super) fn words(variants: &[Value]) -> impl Iterator<Item = &str> {
    variants
        .iter()
        .filter_map(|variant| variant["const"].as_str())
}

/// Lists the accepted forms of the variants: words, or tables with one key.
pub(super) fn choices(variants: &[Value]) -> String {
    let tables = variants
        .iter()
        .filter_map(|variant| strings(variant.get("required")).next());
    let words = words(variants).map(|word| format!("{word:?}"));
    let choices = words.chain(tables.map(|key| format!("{{ {key} = … }}")));
    choices.collect::<Vec<_>>().join(", ")
}
