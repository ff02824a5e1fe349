//! The text of a configuration to begin with. It is made from the schema, so that
//! each kind of exporter has one, with every key that it takes.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use serde_json::Value;
use spanmux::config::Config;

const HEAD: &str = "\
# Which tracers there are, and how one of them is chosen for each trace.
# `spanmux config check` says whether this file is right. ${NAME} is the value of an
# environment variable, and ${NAME:-else} has something else where it is not set.

# The service name of all tracers that do not say otherwise.
service = \"my-service\"

# The tracer to which failed decisions go, in place of the default, which is the first
# below unless `default` names another.
# fallback = \"quarantine\"

# The selectors: files that are asked in the order of their names.
# [selectors]
# directory = \"selectors\"
# Only the files that are listed here go live. `spanmux lock selectors` writes it.
# lock = \"selectors.lock\"
";

const TRACER: &str = "\
# Which traces are recorded: \"always\", \"never\", or { ratio = 0.1 } for every tenth.
# sampling = \"always\"
";

/// A file with a tracer for each of these kinds of exporters.
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
                "no kind of exporter is called {kind:?}; there are {}",
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

/// A value as it may be written.
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
