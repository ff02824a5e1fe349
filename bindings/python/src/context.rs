//! Converts a Python mapping to a runtime context.

use std::fmt::Display;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple};
use serde::ser::{Error as _, Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use spanmux_core::{RuntimeContext, RuntimeContextBuilder, Value};

/// Deeper values are refused before the limit of the context is checked, because the conversion
/// recurses on the stack. A list that contains itself ends here.
const MAX_DEPTH: usize = 64;

/// Converts a mapping. A value that cannot be converted makes the context incomplete, so that the
/// decision goes to the fallback tracer and names the key. Nothing is raised.
pub(crate) fn from_python(mapping: Option<&Bound<'_, PyAny>>) -> RuntimeContext {
    let builder = RuntimeContext::builder();
    let Some(mapping) = mapping.filter(|it| !it.is_none()) else {
        return builder.build();
    };
    let builder = match mapping.cast::<PyDict>() {
        Ok(dict) => entries(builder, dict.iter()),
        Err(_) => from_mapping(builder, mapping),
    };
    builder.build()
}

/// Converts the attributes of a span: text, booleans, numbers, and lists of them. Others are
/// skipped.
pub(crate) fn attributes(mapping: Option<&Bound<'_, PyAny>>) -> RuntimeContext {
    let mut builder = RuntimeContext::builder();
    let items = mapping.and_then(|it| it.cast::<PyMapping>().ok()?.items().ok());
    for item in items.iter().flatten() {
        let Ok((key, value)) = item.extract::<(PyBackedStr, Bound<'_, PyAny>)>() else {
            continue;
        };
        let is_list = value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>();
        let is_plain = value.is_instance_of::<PyString>()
            || value.is_instance_of::<PyInt>()
            || value.is_instance_of::<PyFloat>();
        if is_plain || is_list {
            builder = entry(builder, &key, &value);
        }
    }
    builder.build()
}

fn from_mapping(
    builder: RuntimeContextBuilder,
    mapping: &Bound<'_, PyAny>,
) -> RuntimeContextBuilder {
    let items = mapping
        .cast::<PyMapping>()
        .map_err(|_| format!("the context must be a mapping, not {}", type_name(mapping)));
    // `items` of a mapping is code of the application.
    let items = items.and_then(|mapping| mapping.items().map_err(|error| error.to_string()));
    match items {
        Ok(items) => {
            let pairs = items.iter().filter_map(|item| item.extract().ok());
            entries(builder, pairs)
        }
        Err(message) => refuse(builder, "context", message),
    }
}

fn entries<'py>(
    mut builder: RuntimeContextBuilder,
    pairs: impl Iterator<Item = (Bound<'py, PyAny>, Bound<'py, PyAny>)>,
) -> RuntimeContextBuilder {
    for (key, value) in pairs {
        let text = key.cast::<PyString>().ok();
        let text = text.and_then(|key| key.to_str().ok());
        builder = match text {
            Some(key) => entry(builder, key, &value),
            None => refuse(
                builder,
                &shown(&key),
                format!("a key must be a str, not {}", type_name(&key)),
            ),
        };
    }
    builder
}

fn entry(
    builder: RuntimeContextBuilder,
    key: &str,
    value: &Bound<'_, PyAny>,
) -> RuntimeContextBuilder {
    // Text first, because most values are text.
    if let Ok(text) = value.cast::<PyString>() {
        return match text.to_str() {
            Ok(text) => builder.set(key, text),
            Err(_) => refuse(builder, key, "the text contains a lone surrogate"),
        };
    }
    if value.is_none() {
        return builder.set(key, Value::Null);
    }
    // A bool is an int in Python, and is neither here.
    if let Ok(boolean) = value.cast::<PyBool>() {
        return builder.set(key, boolean.is_true());
    }
    if value.is_instance_of::<PyInt>() {
        return match (value.extract::<i64>(), value.extract::<u64>()) {
            (Ok(integer), _) => builder.set(key, integer),
            // As in JSON text, which is how other languages pass it.
            (_, Ok(integer)) => builder.set_json(key, &integer),
            _ => refuse(builder, key, "the integer does not fit into 64 bits"),
        };
    }
    if let Ok(float) = value.cast::<PyFloat>() {
        return builder.set(key, float.value());
    }
    builder.set_json(key, &Json { value, depth: 0 })
}

fn refuse(
    builder: RuntimeContextBuilder,
    key: &str,
    message: impl Display,
) -> RuntimeContextBuilder {
    builder.set_json(key, &Refused(message.to_string()))
}

/// Fails to serialize, so that the context is incomplete.
struct Refused(String);

impl Serialize for Refused {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom(&self.0))
    }
}

/// A Python value as JSON.
pub(crate) struct Json<'a, 'py> {
    pub(crate) value: &'a Bound<'py, PyAny>,
    pub(crate) depth: usize,
}

impl Serialize for Json<'_, '_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let value = self.value;
        if self.depth > MAX_DEPTH {
            return Err(S::Error::custom("the value is nested too deep"));
        }
        if let Ok(text) = value.cast::<PyString>() {
            return match text.to_str() {
                Ok(text) => to.serialize_str(text),
                Err(_) => Err(S::Error::custom("a text contains a lone surrogate")),
            };
        }
        if value.is_none() {
            return to.serialize_unit();
        }
        if let Ok(boolean) = value.cast::<PyBool>() {
            return to.serialize_bool(boolean.is_true());
        }
        if value.is_instance_of::<PyInt>() {
            return match (value.extract::<i64>(), value.extract::<u64>()) {
                (Ok(integer), _) => to.serialize_i64(integer),
                (_, Ok(integer)) => to.serialize_u64(integer),
                _ => Err(S::Error::custom("an integer does not fit into 64 bits")),
            };
        }
        if let Ok(float) = value.cast::<PyFloat>() {
            return to.serialize_f64(float.value());
        }
        if let Ok(dict) = value.cast::<PyDict>() {
            return self.members(to, dict);
        }
        if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            return self.items(to);
        }
        self.fields(to)
    }
}

impl Json<'_, '_> {
    fn items<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(None)?;
        for item in self.value.try_iter().map_err(S::Error::custom)? {
            let item = item.map_err(S::Error::custom)?;
            list.serialize_element(&Json {
                value: &item,
                depth: self.depth + 1,
            })?;
        }
        list.end()
    }

    fn members<S: Serializer>(&self, to: S, dict: &Bound<'_, PyDict>) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for (key, value) in dict.iter() {
            let text = key.cast::<PyString>().ok();
            let text = text.and_then(|key| key.to_str().ok()).ok_or_else(|| {
                S::Error::custom(format!("a key must be a str, not {}", type_name(&key)))
            })?;
            let depth = self.depth + 1;
            map.serialize_entry(
                text,
                &Json {
                    value: &value,
                    depth,
                },
            )?;
        }
        map.end()
    }

    /// Writes the fields of a dataclass. Another type is refused, because its meaning is unknown.
    fn fields<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let fields = self.value.getattr("__dataclass_fields__");
        let fields = fields
            .ok()
            .and_then(|fields| fields.cast_into::<PyDict>().ok());
        // The class itself has the attribute too.
        let is_class = self.value.is_instance_of::<pyo3::types::PyType>();
        let Some(fields) = fields.filter(|_| !is_class) else {
            return Err(S::Error::custom(format!(
                "the type {} cannot be converted; use None, bool, int, float, str, list, dict or a \
                 dataclass",
                type_name(self.value)
            )));
        };
        let mut map = to.serialize_map(Some(fields.len()))?;
        for (name, _) in fields.iter() {
            let value = name.cast::<PyString>().map_err(S::Error::custom);
            let value = self.value.getattr(value?).map_err(S::Error::custom)?;
            let name = name.to_string();
            let depth = self.depth + 1;
            map.serialize_entry(
                &name,
                &Json {
                    value: &value,
                    depth,
                },
            )?;
        }
        map.end()
    }
}

/// Formats a key that is not text.
fn shown(key: &Bound<'_, PyAny>) -> String {
    key.repr()
        .map_or_else(|_| "?".to_owned(), |text| text.to_string())
}

fn type_name(value: &Bound<'_, PyAny>) -> String {
    let name = value.get_type().name();
    name.map_or_else(|_| "an unknown type".to_owned(), |name| name.to_string())
}
