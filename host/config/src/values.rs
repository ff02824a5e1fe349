//! Strings with a special meaning, and values of several types.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// The schema keyword that marks the meaning of a string.
pub(super) const MEANING: &str = "x-spanmux";

/// A string that is never displayed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a secret)")
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1, "writeOnly": true, MEANING: "secret"})
    }
}

/// A string that is never displayed but may be written literally in the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Hidden(pub(super) Secret);

impl JsonSchema for Hidden {
    fn schema_name() -> Cow<'static, str> {
        "Hidden".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1, "writeOnly": true, MEANING: "hidden"})
    }
}

/// A URL with a scheme.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Url(pub(super) String);

impl Url {
    /// Checks a URL. `written` is the text as written in the file, for the error message.
    pub(super) fn check(text: &str, written: &str) -> Result<(), String> {
        let scheme = ["http://", "https://"];
        match scheme.iter().find_map(|scheme| text.strip_prefix(scheme)) {
            Some("") => Err(format!("{:?} has no host", without_secrets(written))),
            Some(_) => Ok(()),
            None => {
                let shown = without_secrets(written);
                Err(format!(
                    "invalid address {shown:?}; include its scheme, for example \"https://{}\"",
                    without_scheme(shown)
                ))
            }
        }
    }
}

/// Removes the parts of a URL that may contain a secret: the user and the query.
fn without_secrets(text: &str) -> &str {
    let text = text.split('?').next().unwrap_or_default();
    text.rsplit_once('@').map_or(text, |(_, rest)| rest)
}

fn without_scheme(text: &str) -> &str {
    text.rsplit_once("//").map_or(text, |(_, rest)| rest)
}

impl JsonSchema for Url {
    fn schema_name() -> Cow<'static, str> {
        "Url".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": r"^https?://.|\$\{", MEANING: "url"})
    }
}

/// The longest duration. Clocks overflow at far longer ones.
const MAX_PERIOD: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A duration with a unit.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Period(pub(super) Duration);

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text, &text)
    }
}

impl Period {
    /// Parses a duration, or returns an error message that shows the text as written in the
    /// file.
    pub(super) fn parse(text: &str, written: &str) -> Result<Self, String> {
        match humantime::parse_duration(text) {
            Ok(time) if time.is_zero() => {
                Err(format!("{written:?} is zero; write a positive duration"))
            }
            Ok(time) if time > MAX_PERIOD => Err(too_long(written)),
            Ok(time) => Ok(Self(time)),
            Err(humantime::DurationError::NumberOverflow) => Err(too_long(written)),
            Err(_) => Err(format!(
                "invalid duration {written:?}; write a number with its unit, for example \"100ms\", \
                 \"5s\" or \"1m 30s\""
            )),
        }
    }
}

fn too_long(written: &str) -> String {
    let days = MAX_PERIOD.as_secs() / (24 * 60 * 60);
    format!("duration {written:?} is too long; the maximum is {days} days")
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": r"^\s*[0-9].*[a-z]\s*$|\$\{", MEANING: "time"})
    }
}

/// The value of a resource attribute or of a filtered attribute.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Plain {
    Flag(bool),
    Integer(i64),
    Float(f64),
    Text(String),
}

impl JsonSchema for Plain {
    fn schema_name() -> Cow<'static, str> {
        "Plain".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}
