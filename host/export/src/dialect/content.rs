//! Inputs and outputs: messages, arguments and results of tools, queries and documents.

use opentelemetry::Value;
use serde_json::{Value as Json, json};

use super::edit::Edit;
use super::fields::Id;
use super::found::{self, Numbered};
use super::kinds::Kind;
use super::{documents, messages};

/// One side of a span.
struct Side {
    messages: Id,
    /// The value for which the GenAI conventions have a specific attribute, by kind.
    of_tool: Id,
    of_retriever: Id,
    value: Id,
    mime_type: Id,
    open_inference: &'static str,
    older: [&'static str; 2],
    role: &'static str,
}

const INPUT: Side = Side {
    messages: Id::InputMessages,
    of_tool: Id::Arguments,
    of_retriever: Id::Query,
    value: Id::Input,
    mime_type: Id::InputType,
    open_inference: found::INPUT_MESSAGES,
    older: [found::PROMPTS, found::OLDER_PROMPTS],
    role: "user",
};

const OUTPUT: Side = Side {
    messages: Id::OutputMessages,
    of_tool: Id::Result,
    of_retriever: Id::Documents,
    value: Id::Output,
    mime_type: Id::OutputType,
    open_inference: found::OUTPUT_MESSAGES,
    older: [found::COMPLETIONS, found::OLDER_COMPLETIONS],
    role: "assistant",
};

/// Writes the content of a span where the dialect has it.
pub(super) fn translate(edit: &mut Edit<'_>, kind: &Kind) {
    for side in [&INPUT, &OUTPUT] {
        if edit.dialect.has_open_inference() {
            side.to_open_inference(edit, kind);
        }
        if edit.dialect.has_only_conventions() && edit.dialect.has_gen_ai() {
            side.to_gen_ai(edit, kind);
        }
        if !edit.dialect.has_only_conventions() {
            side.to_vendor(edit, kind);
        }
    }
    documents::translate(edit, kind);
}

impl Side {
    /// Returns the field of the GenAI conventions for values of this kind.
    fn specific(&self, kind: &Kind) -> Option<Id> {
        if kind.is_tool() {
            Some(self.of_tool)
        } else if kind.is_retriever() {
            Some(self.of_retriever)
        } else {
            None
        }
    }

    /// Returns the older numbered messages.
    fn older<'a>(&self, edit: &Edit<'a>) -> Numbered<'a> {
        let all = self.older.map(|prefix| edit.found.numbered(prefix));
        let found = all.into_iter().find(|numbered| !numbered.is_empty());
        found.unwrap_or_default()
    }

    fn to_open_inference(&self, edit: &mut Edit<'_>, kind: &Kind) {
        let list = match edit.found.text(self.messages) {
            Some(text) => messages::parse(text),
            None => Some(messages::read_numbered(&self.older(edit), self.role))
                .filter(|list| !list.is_empty()),
        };
        if kind.is_llm() && !edit.found.has_numbered(self.open_inference) {
            self.write_numbered(edit, list.as_deref());
        }
        let text = edit.found.text(self.messages);
        let single = list.as_deref().and_then(messages::single_text);
        let value = match (single, text, &list) {
            (Some(single), ..) => Some(single.to_owned()),
            (_, Some(text), _) => Some(text.to_owned()),
            (.., Some(list)) => Some(json!(list).to_string()),
            _ => None,
        };
        let specific = self
            .specific(kind)
            .filter(|id| edit.found.value(*id).is_some());
        let value = value.or_else(|| {
            let given = specific.and_then(|id| edit.found.value(id));
            Some(given.or_else(|| edit.found.value(self.value))?.to_string())
        });
        let Some(value) = value else { return };
        if !edit.found.has(self.value.field().open_inference[0]) {
            let is_json = value.starts_with(['{', '[']);
            let mime_type = if is_json {
                "application/json"
            } else {
                "text/plain"
            };
            edit.write_names(self.value, self.value.field().open_inference, value);
            let names = self.mime_type.field().open_inference;
            edit.write_names(self.mime_type, names, mime_type);
        }
        for id in [Some(self.messages), specific].into_iter().flatten() {
            edit.removes(id);
        }
        for prefix in self.older {
            edit.replaces_numbered(prefix);
        }
    }

    fn write_numbered(&self, edit: &mut Edit<'_>, list: Option<&[Json]>) {
        let mut from = 0;
        if self.messages == Id::InputMessages
            && let Some(text) = edit.found.text(Id::Instructions)
            && let Some(parts) = messages::parts(text)
        {
            let system = [json!({"role": "system", "parts": parts})];
            messages::write_numbered(&system, self.open_inference, 0, &mut edit.added);
            edit.removes(Id::Instructions);
            from = 1;
        }
        if let Some(list) = list {
            messages::write_numbered(list, self.open_inference, from, &mut edit.added);
        }
    }

    fn to_gen_ai(&self, edit: &mut Edit<'_>, kind: &Kind) {
        if let Some(specific) = self.specific(kind) {
            let has = edit.found.value(specific).is_some();
            if let (false, Some(value)) = (has, edit.found.value(self.value))
                && specific != Id::Documents
            {
                let value = value.clone();
                edit.write(specific, value);
                edit.removes(self.value);
                edit.removes(self.mime_type);
            }
            return;
        }
        if !(kind.is_llm() || kind.is_agent()) || edit.found.value(self.messages).is_some() {
            return;
        }
        let mut numbered = edit.found.numbered(self.open_inference);
        if numbered.is_empty() {
            numbered = self.older(edit);
        }
        let mut list = messages::read_numbered(&numbered, self.role);
        if list.is_empty() {
            let Some(text) = edit.found.text(self.value) else {
                return;
            };
            list =
                messages::parse(text).unwrap_or_else(|| vec![messages::of_text(self.role, text)]);
            edit.removes(self.value);
            edit.removes(self.mime_type);
        }
        if self.messages == Id::OutputMessages {
            let reason = finish_reason(edit);
            messages::complete(&mut list, reason.as_deref());
        }
        edit.write(self.messages, json!(list).to_string());
        for prefix in self.older.into_iter().chain([self.open_inference]) {
            edit.replaces_numbered(prefix);
        }
    }

    /// Writes the value under the vendor's own name, where it does not read the conventions.
    fn to_vendor(&self, edit: &mut Edit<'_>, kind: &Kind) {
        let specific = self.specific(kind).and_then(|id| edit.found.value(id));
        if let (None, Some(value)) = (edit.found.value(self.value), specific) {
            let value = value.clone();
            edit.write(self.value, value);
        }
    }
}

/// Returns the reason why a model stopped.
fn finish_reason(edit: &Edit<'_>) -> Option<String> {
    let first = match edit.found.value(Id::FinishReasons) {
        Some(Value::Array(opentelemetry::Array::String(texts))) => texts.first(),
        _ => None,
    };
    let text = first.map(|text| text.as_str());
    let text = text.or_else(|| edit.found.text(Id::FinishReason));
    text.map(str::to_owned)
}
