//! The text of a starter configuration. It is generated from the schema, so it covers every
//! exporter type and all its keys.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use serde_json::Value;
use spanmux::config::Config;

const HEAD: &str = "\
# The tracers, and the selectors that choose one of them for each trace.
# Check this file with `spanmux config check`. ${NAME} is the value of an environment
# variable, and ${NAME:-default} provides a default if it is unset or empty.

# The service name of tracers that do not set their own.
service = \"my-service\"

# The tracer for failed decisions. Defaults to the default tracer, which is the one that
# `default` names, or else the first one below.
# fallback = \"quarantine\"

# The selectors: files that form the chain in the order of their names.
# [selectors]
# directory = \"selectors\"
# Loads only the files that the lock file lists. `spanmux lock selectors` writes it.
# lock = \"selectors.lock\"
# The only tracers that this selector may choose; * stands for any characters.
# [selectors.\"20-tenant.wasm\"]
# tracers = [\"tenant-*\", \"quarantine\"]

# An exporter that several tracers use. One of them could have:
# exporters = [\"acme\", { use = \"ours\", content = false, sampling = 0.1 }]
# [exporters.ours]
# type = \"datadog-agent\"
";

const TRACER: &str = "\
# The traces to record: \"always\", \"never\", or { ratio = 0.1 } for one in ten.
# sampling = \"always\"
";

/// Returns a configuration with one tracer for each of the exporter types.
pub(crate) fn starter(kinds: &[String]) -> Result<String> {
    let schema: Value = serde_json::from_str(&Config::schema())?;
    let variants = schema["$defs"]["ExporterTable"]["oneOf"].as_array();
    let variants = variants.map_or(&[][..], Vec::as_slice);
    let mut text = HEAD.to_owned();
    let mut names: Vec<String> = Vec::new();
    for kind in kinds {
        let Some(variant) = variants.iter().find(|variant| tag(variant) == Some(kind)) else {
            let known: Vec<&str> = variants.iter().filter_map(tag).collect();
            bail!(
                "unknown exporter type {kind:?}; expected one of: {}",
                known.join(", ")
            );
        };
        let same = names
            .iter()
            .filter(|name| name.starts_with(kind.as_str()))
            .count();
        let name = match same {
            0 => kind.clone(),
            _ => format!("{kind}-{}", same + 1),
        };
        tracer(&mut text, &name, kind, variant, &schema)?;
        names.push(name);
    }
    Ok(text)
}

fn tag(variant: &Value) -> Option<&str> {
    variant["properties"]["type"]["const"].as_str()
}

fn tracer(
    text: &mut String,
    name: &str,
    kind: &str,
    variant: &Value,
    schema: &Value,
) -> Result<()> {
    let description = variant["description"].as_str().unwrap_or_default();
    write!(text, "\n[tracers.{name}]\n{TRACER}\n# {description}\n")?;
    writeln!(text, "[tracers.{name}.exporter]\ntype = \"{kind}\"")?;
    let required = variant["required"].as_array();
    let required: Vec<&str> = required
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = variant["properties"].as_object().into_iter().flatten();
    let (needed, other): (Vec<_>, Vec<_>) = properties
        .filter(|(key, _)| *key != "type")
        .partition(|(key, _)| required.contains(&key.as_str()));
    for (key, property) in needed {
        described(text, property)?;
        writeln!(text, "{key} = {}", sample(property, schema))?;
    }
    for (key, property) in other {
        described(text, property)?;
        writeln!(text, "# {key} = {}", sample(property, schema))?;
    }
    Ok(())
}

fn described(text: &mut String, property: &Value) -> Result<()> {
    if let Some(description) = property["description"].as_str() {
        writeln!(text, "# {description}")?;
    }
    Ok(())
}

/// Returns a sample value for a key.
fn sample(property: &Value, schema: &Value) -> String {
    let name = property["$ref"].as_str();
    let name = name.and_then(|name| name.strip_prefix("#/$defs/"));
    let refers = name.map_or(&Value::Null, |name| &schema["$defs"][name]);
    let value = match &property["examples"][0] {
        Value::Null => &refers["oneOf"][0]["const"],
        example => example,
    };
    match (value, property["type"].as_str()) {
        (Value::Null, Some("boolean")) => "true".to_owned(),
        (Value::Null, Some("integer")) => "0".to_owned(),
        (Value::Null, _) => "\"…\"".to_owned(),
        (Value::Object(table), _) => {
            let entries = table.iter().map(|(key, value)| format!("{key} = {value}"));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        (value, _) => value.to_string(),
    }
}
