//! Generated bindings for the contract.
//!
//! Only this module uses the generated types. It is public for the expansion of
//! [`export!`](crate::export) and is not part of the API.

#![allow(missing_docs, unreachable_pub, rust_2018_idioms, clippy::all)]

use crate::{RuntimeContext, Value};

wit_bindgen::generate!({
    path: "wit",
    world: "selector",
    pub_export_macro: true,
    export_macro_name: "export_selector",
    default_bindings_module: "spanmux_guest::bindings",
    runtime_path: "::wit_bindgen::rt",
});

use self::spanmux::selector::runtime_context as host;

/// The runtime context that the host provides to this instance.
#[derive(Debug)]
pub struct HostContext;

impl RuntimeContext for HostContext {
    fn get(&self, key: &str) -> Option<Value> {
        Some(match host::get(key)? {
            host::Value::Null => Value::Null,
            host::Value::Boolean(boolean) => Value::Boolean(boolean),
            host::Value::Integer(integer) => Value::Integer(integer),
            host::Value::Float(float) => Value::Float(float),
            host::Value::Text(text) => Value::Text(text),
            host::Value::Json(json) => Value::Json(json),
        })
    }

    fn has(&self, key: &str) -> bool {
        host::has(key)
    }

    fn keys(&self) -> Vec<String> {
        host::keys()
    }

    fn bucket(&self, key: &str, salt: &str, buckets: u32) -> Option<u32> {
        host::bucket(key, salt, buckets)
    }
}
