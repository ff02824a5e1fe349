//! The two questions as an Extism plugin: JSON in, the name of a tracer out.

use std::collections::HashMap;

use extism_pdk::{FnResult, Json, plugin_fn};

/// The runtime context of a run.
type Context = HashMap<String, String>;

const TENANTS: [&str; 5] = ["acme", "globex", "initech", "umbrella", "hooli"];

#[plugin_fn]
pub fn one_key(Json(context): Json<Context>) -> FnResult<String> {
    let name = match context.get("environment").map(String::as_str) {
        Some("production") => "langfuse",
        Some("staging") => "datadog",
        _ => "console",
    };
    Ok(name.to_owned())
}

#[plugin_fn]
pub fn four_keys(Json(context): Json<Context>) -> FnResult<String> {
    let text = |key: &str| context.get(key).map_or("", String::as_str);
    let name = if !TENANTS.contains(&text("tenant")) {
        "console"
    } else if text("tier") == "enterprise" {
        "langfuse"
    } else if text("region").starts_with("eu-") {
        "datadog"
    } else if text("environment") == "production" {
        "langfuse"
    } else {
        "console"
    };
    Ok(name.to_owned())
}
