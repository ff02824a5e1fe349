//! Inputs and outputs: messages, arguments and results of tools, queries and documents.

use opentelemetry::Value;
use serde_json::{Value as Json, json};

use super::edit::Edit;
use super::fields::Id;
use super::kinds::Kind;
use super::messages::Read;
use super::{Dialect, documents, found, messages};

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

    /// Reads the older numbered messages.
    fn read_older(&self, edit: &Edit<'_>) -> Read {
        let all = self.older.map(|prefix| edit.found.numbered(prefix));
        let found = all.into_iter().find(|numbered| !numbered.is_empty());
        messages::read_numbered(&found.unwrap_or_default(), self.role)
    }

    fn to_open_inference(&self, edit: &mut Edit<'_>, kind: &Kind) {
        let recorded = edit.found.first(self.messages);
        let source = recorded.map(|(position, _)| position);
        let mut older = Read::default();
        let list = match edit.found.text(self.messages) {
            Some(text) => messages::parse(text),
            None => {
                older = self.read_older(edit);
                edit.combined.extend(&older.positions);
                let list = std::mem::take(&mut older.messages);
                Some(list).filter(|list| !list.is_empty())
            }
        };
        let mut is_written = false;
        if kind.is_llm() {
            let own = edit.found.numbered(self.open_inference);
            is_written = if own.is_empty() {
                self.write_numbered(edit, list.as_deref(), source)
            } else {
                let own = messages::read_numbered(&own, self.role).messages;
                list.as_ref() == Some(&own)
            };
        }
        self.reason(edit, list.as_deref(), source);
        let specific = self.specific(kind);
        let specific = specific.and_then(|id| Some((id, edit.found.first(id)?)));
        let single = list.as_deref().and_then(messages::single_text);
        let whole = match recorded {
            Some((_, text)) => Some(text.to_string()),
            None => list.as_ref().map(|list| json!(list).to_string()),
        };
        let given = specific.map(|(_, given)| given);
        let given = given.or_else(|| edit.found.first(self.value));
        let value = match (single, &whole, given) {
            (Some(single), ..) => Some((single.to_owned(), source)),
            (_, Some(whole), _) => Some((whole.clone(), source)),
            (.., Some((position, value))) => Some((value.to_string(), Some(position))),
            _ => None,
        };
        let Some((value, source)) = value else { return };
        let [name] = self.value.field().open_inference else {
            return;
        };
        if !edit.found.has(name) {
            let is_json = value.starts_with(['{', '[']);
            let mime_type = if is_json {
                "application/json"
            } else {
                "text/plain"
            };
            edit.write_names(self.value, &[name], value, source);
            let names = self.mime_type.field().open_inference;
            edit.write_names(self.mime_type, names, mime_type, None);
        }
        // Only content that is written somewhere is removed.
        let received = edit.value_of(name).map(Value::to_string);
        let has = |text: &str| received.as_deref() == Some(text);
        let is_plain = || list.as_deref().is_some_and(|list| self.is_plain(list));
        let has_single = single.is_some_and(|single| has(single) && is_plain());
        if is_written || has_single || whole.as_deref().is_some_and(has) {
            if let Some((_, value)) = recorded {
                edit.retire(self.messages, value);
            }
            edit.remove(older.positions);
        }
        if let Some((id, (_, value))) = specific
            && has(&value.to_string())
        {
            edit.retire(id, value);
        }
    }

    /// Returns `true` if a message with one text has nothing else.
    fn is_plain(&self, list: &[Json]) -> bool {
        list.iter().all(|message| {
            let parts = message["parts"].as_array();
            let mut parts = parts.into_iter().flatten();
            message["role"] == self.role
                && messages::has_only(message, &["role", "parts", "finish_reason"])
                && parts.all(|part| messages::has_only(part, &["type", "content"]))
        })
    }

    /// Writes the messages as numbered attributes. Returns `true` if they are complete.
    fn write_numbered(
        &self,
        edit: &mut Edit<'_>,
        list: Option<&[Json]>,
        source: Option<usize>,
    ) -> bool {
        let mut from = 0;
        if self.messages == Id::InputMessages
            && let Some((at, value @ Value::String(text))) = edit.found.first(Id::Instructions)
            && let Some(parts) = messages::parts(text.as_str())
        {
            let system = [json!({"role": "system", "parts": parts})];
            let written = messages::write_numbered(&system, self.open_inference, 0, Some(at), edit);
            if written.is_complete {
                edit.retire(Id::Instructions, value);
            }
            from = written.next;
        }
        list.is_some_and(|list| {
            messages::write_numbered(list, self.open_inference, from, source, edit).is_complete
        })
    }

    /// Writes the finish reason of a message, if the span has no other.
    fn reason(&self, edit: &mut Edit<'_>, list: Option<&[Json]>, source: Option<usize>) {
        let message = list.and_then(<[Json]>::last);
        if self.messages == Id::OutputMessages
            && finish_reason(edit).is_none()
            && let Some(reason) = message.and_then(|message| message["finish_reason"].as_str())
        {
            let names = Id::FinishReason.field().open_inference;
            edit.write_names(Id::FinishReason, names, reason.to_owned(), source);
        }
    }

    fn to_gen_ai(&self, edit: &mut Edit<'_>, kind: &Kind) {
        if let Some(specific) = self.specific(kind) {
            let has = edit.found.value(specific).is_some();
            if let (false, Some((source, value))) = (has, edit.found.first(self.value))
                && specific != Id::Documents
            {
                edit.write(specific, value.clone(), Some(source));
                self.retire_value(edit, value);
            }
            return;
        }
        if !(kind.is_llm() || kind.is_agent()) || edit.found.value(self.messages).is_some() {
            return;
        }
        let numbered = edit.found.numbered(self.open_inference);
        let mut read = messages::read_numbered(&numbered, self.role);
        if read.messages.is_empty() {
            read = self.read_older(edit);
        }
        let Read {
            messages: mut list,
            positions,
        } = read;
        let mut source = None;
        if list.is_empty() {
            let Some((at, value @ Value::String(text))) = edit.found.first(self.value) else {
                return;
            };
            let text = text.as_str();
            list =
                messages::parse(text).unwrap_or_else(|| vec![messages::of_text(self.role, text)]);
            self.retire_value(edit, value);
            source = Some(at);
        }
        if self.messages == Id::OutputMessages {
            let reason = finish_reason(edit);
            messages::complete(&mut list, reason.as_deref());
        }
        edit.combined.extend(&positions);
        edit.write(self.messages, json!(list).to_string(), source);
        edit.remove(positions);
    }

    /// Removes a value that was written elsewhere, with its type.
    fn retire_value(&self, edit: &mut Edit<'_>, value: &Value) {
        edit.retire(self.value, value);
        let is_left = |position| !edit.removed.contains(&position);
        if !edit.found.positions(self.value).any(is_left) {
            edit.remove_all(self.mime_type);
        }
    }

    /// Writes the value under the vendor's own name, where it does not read the conventions or the
    /// name of another vendor.
    fn to_vendor(&self, edit: &mut Edit<'_>, kind: &Kind) {
        let field = self.value.field();
        let mut read = [field.open_inference, field.older, field.langsmith].into_iter();
        let mut read = read.any(|names| names.iter().any(|name| edit.found.has(name)));
        if edit.dialect == Dialect::Langfuse {
            read |= edit.found.value(self.value).is_some();
        }
        let specific = self.specific(kind).and_then(|id| edit.found.first(id));
        let value = edit.found.first(self.value).or(specific);
        if let (false, Some((source, value))) = (read, value) {
            edit.write(self.value, value.clone(), Some(source));
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
