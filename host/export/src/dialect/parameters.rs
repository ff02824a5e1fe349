//! Parameters of a model call: an attribute for each in the GenAI conventions, one JSON text in
//! OpenInference.

use opentelemetry::{Array, Value};
use serde_json::{Map, Value as Json};

use super::edit::Edit;
use super::fields::{Id, Shape, integer};

/// The names of the parameters in JSON.
const PARAMETERS: [(Id, &str); 10] = [
    (Id::Temperature, "temperature"),
    (Id::TopP, "top_p"),
    (Id::TopK, "top_k"),
    (Id::MaxTokens, "max_tokens"),
    (Id::FrequencyPenalty, "frequency_penalty"),
    (Id::PresencePenalty, "presence_penalty"),
    (Id::Seed, "seed"),
    (Id::Choices, "n"),
    (Id::StopSequences, "stop"),
    (Id::Stream, "stream"),
];

const OF_EMBEDDINGS: [(Id, &str); 2] = [
    (Id::Dimensions, "dimensions"),
    (Id::EncodingFormats, "encoding_format"),
];

const REASONING: (Id, &str) = (Id::ReasoningLevel, "reasoning_effort");

/// Writes the parameters as JSON text.
pub(super) fn to_json(edit: &mut Edit<'_>, is_embedding: bool) {
    let (id, rows): (_, &[_]) = if is_embedding {
        (Id::EmbeddingParameters, &OF_EMBEDDINGS)
    } else {
        (Id::Parameters, &PARAMETERS)
    };
    if edit.found.value(id).is_some() {
        return;
    }
    let reasoning = (!is_embedding).then_some(&REASONING);
    let mut all = Map::new();
    for (field, name) in rows.iter().chain(reasoning) {
        if let Some(value) = edit.found.value(*field) {
            all.insert((*name).to_owned(), json_of(*field, value));
            edit.retire(*field, value);
        }
    }
    if !all.is_empty() {
        let text = Json::Object(all).to_string();
        edit.write_names(id, id.field().open_inference, text, None);
    }
}

/// Writes the parameters of a JSON text as attributes.
pub(super) fn from_json(edit: &mut Edit<'_>) {
    for id in [Id::Parameters, Id::EmbeddingParameters] {
        let Some((source, value @ Value::String(text))) = edit.found.first(id) else {
            continue;
        };
        let all: Option<Map<String, Json>> = serde_json::from_str(text.as_str()).ok();
        let Some(all) = all else { continue };
        let rows = PARAMETERS.iter().chain(&OF_EMBEDDINGS).chain([&REASONING]);
        let mut is_complete = true;
        for (name, member) in &all {
            let mut rows = rows.clone();
            let row = rows.find(|(_, known)| known == name);
            let written = row.and_then(|(field, _)| Some((*field, value_of(*field, member)?)));
            if let Some((field, value)) = written {
                let names = field.field().gen_ai;
                edit.write_names(field, names, value.clone(), Some(source));
                is_complete &= edit.has_value(field, &value);
            } else {
                is_complete = false;
            }
        }
        // Other parameters have no attribute of their own.
        if is_complete {
            edit.retire(id, value);
        }
    }
}

fn json_of(id: Id, value: &Value) -> Json {
    match value {
        // A request has one format.
        Value::Array(Array::String(texts)) if id == Id::EncodingFormats && texts.len() == 1 => {
            texts[0].as_str().into()
        }
        Value::Bool(flag) => (*flag).into(),
        Value::I64(number) => (*number).into(),
        Value::F64(number) => (*number).into(),
        Value::Array(Array::String(texts)) => texts.iter().map(|text| text.as_str()).collect(),
        other => Json::String(other.to_string()),
    }
}

fn value_of(id: Id, value: &Json) -> Option<Value> {
    Some(match id.field().shape {
        Shape::Integer => value.as_i64().map_or_else(
            || value.as_f64().map(integer),
            |whole| Some(Value::I64(whole)),
        )?,
        Shape::Number => Value::F64(value.as_f64()?),
        Shape::Flag => Value::Bool(value.as_bool()?),
        Shape::Texts => {
            let texts = match value {
                Json::String(text) => vec![text.clone().into()],
                Json::Array(list) => list
                    .iter()
                    .map(|text| Some(text.as_str()?.to_owned().into()))
                    .collect::<Option<_>>()?,
                _ => return None,
            };
            Value::Array(Array::String(texts))
        }
        Shape::Text | Shape::Json => Value::String(value.as_str()?.to_owned().into()),
    })
}
