//! Dialects: the attribute names under which a backend reads the fields of a span.
//!
//! The translation happens on the thread of the exporter, after redaction, for every span, also
//! those of other libraries. [`fields`] and [`kinds`] are its tables, and `docs/dialects.md` shows
//! them.

mod agent_usage;
mod content;
mod documents;
mod edit;
mod fields;
mod found;
mod kinds;
mod messages;
mod page;
mod parameters;
#[cfg(test)]
mod tests;
mod trace_fields;
mod vendors;

use std::sync::Arc;

use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use edit::{Added, Edit};
use fields::{COPIED, Field, Id, Shape, USAGE};
use found::{Found, Names};
use kinds::Kind;
pub use page::page;
pub(crate) use trace_fields::TraceFields;

/// The attribute names that a backend reads.
///
/// An exporter with a dialect translates every span before it is sent, also those of other
/// libraries: the GenAI conventions, OpenInference, and the older names of OpenLLMetry (Traceloop)
/// are read. The LLM presets choose the dialect of their backend, and all other exporters send
/// spans as they were recorded.
/// [`TracerConfig::dialect`](https://docs.rs/spanmux/latest/spanmux/otel/struct.TracerConfig.html)
/// sets it for all exporters of a tracer. `docs/dialects.md` in the repository lists all names.
///
/// In every dialect, numbers that a library recorded as text become numbers. Values are redacted
/// before they are translated, and again under their new names, unless the redaction has replaced
/// them already or their recorded name is an exception.
///
/// # Cost
/// Without a dialect, none. With one, the key of each attribute is looked up, a second time on
/// spans with token usage if that of agents is left out. Nothing is allocated for a span without
/// the attributes of an AI library. The others cost one list with an entry for each known name,
/// and their new attributes. Content is parsed only if it has another form in the dialect.
///
/// # Examples
/// ```
/// use spanmux::exporters::{Dialect, OtlpExporter};
/// use spanmux::otel::TracerConfig;
///
/// // A gateway that forwards to Phoenix.
/// let config = TracerConfig::new()
///     .exporter(OtlpExporter::http("http://gateway:4318"))
///     .dialect(Dialect::OpenInference);
/// # drop(config);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// The GenAI conventions of OpenTelemetry, under their current and their former names. An
    /// attribute with another name is removed if it has the same value. The dialect of Braintrust
    /// and Datadog LLM Observability.
    GenAi,
    /// OpenInference. An attribute with another name is removed if it has the same value, and the
    /// token usage of local agents is left out, because these backends add up the usage of all
    /// spans. The dialect of Phoenix and Arize.
    OpenInference,
    /// The names of Langfuse, in addition to the recorded ones, except those that Langfuse takes
    /// for something else. Every span of a trace gets the session, the user and the tags of its
    /// first local root. The dialect of Langfuse.
    Langfuse,
    /// The names of LangSmith, in addition to the recorded ones, with session, user and tags as
    /// for Langfuse. The token usage of local agents is left out. The dialect of LangSmith.
    LangSmith,
    /// The GenAI conventions and OpenInference. The dialect of MLflow.
    Both,
}

impl Dialect {
    fn has_gen_ai(self) -> bool {
        self != Self::OpenInference
    }

    fn has_open_inference(self) -> bool {
        matches!(self, Self::OpenInference | Self::Both)
    }

    /// Returns `true` if the dialect consists of public conventions. The vendors with their own
    /// names read content of both conventions.
    fn has_only_conventions(self) -> bool {
        !matches!(self, Self::Langfuse | Self::LangSmith)
    }

    /// Returns `true` if other names of the same fields are removed.
    fn replaces(self) -> bool {
        matches!(self, Self::GenAi | Self::OpenInference)
    }

    /// Returns `true` if every span needs the session and the user of its trace.
    fn shares_trace_fields(self) -> bool {
        !self.has_only_conventions()
    }

    /// Returns `true` if the backend counts the usage of agents in addition to that of their calls.
    fn counts_agents_twice(self) -> bool {
        matches!(self, Self::OpenInference | Self::LangSmith)
    }

    /// Returns the lists of names that are written for a field.
    fn lists(self, field: &Field) -> [Option<&'static [&'static str]>; 2] {
        match self {
            Self::GenAi => [Some(field.gen_ai), None],
            Self::OpenInference => [Some(field.open_inference), None],
            Self::Langfuse => [Some(field.gen_ai), Some(field.langfuse)],
            Self::LangSmith => [Some(field.gen_ai), Some(field.langsmith)],
            Self::Both => [Some(field.gen_ai), Some(field.open_inference)],
        }
    }
}

/// The attributes that a translation added.
pub(crate) struct Translated {
    /// The position of the first one.
    pub(crate) from: usize,
    /// The source of each. `None` if it has none, or several.
    pub(crate) sources: Vec<Option<Source>>,
    /// The positions before the translation of all attributes that became parts of others.
    pub(crate) combined: Vec<usize>,
}

/// The recorded attribute with the value of an added one.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    /// The position before the translation.
    pub(crate) position: usize,
    /// `true` if the values are equal.
    pub(crate) is_copy: bool,
}

/// Translates the spans of one exporter.
#[derive(Clone, Debug)]
pub(crate) struct Translator {
    dialect: Dialect,
    names: Arc<Names>,
    environment: Option<Value>,
    release: Option<Value>,
    pub(crate) trace_fields: Option<Arc<TraceFields>>,
}

impl Translator {
    /// Creates a translator for spans with this resource.
    pub(crate) fn new(dialect: Dialect, resource: &Resource) -> Self {
        let first = |keys: &[&'static str]| {
            let mut values = keys.iter().map(|key| resource.get(&(*key).into()));
            values.find_map(|value| value)
        };
        Self {
            dialect,
            names: Arc::new(Names::new()),
            environment: first(&["deployment.environment.name", "deployment.environment"]),
            release: first(&["service.version"]),
            trace_fields: dialect.shares_trace_fields().then(Arc::default),
        }
    }

    /// Prepares a span before it is filtered and redacted.
    pub(crate) fn prepare(&self, span: &mut SpanData) {
        if self.dialect.counts_agents_twice() {
            agent_usage::remove(span, &self.names);
        }
        if let Some(fields) = &self.trace_fields {
            fields.apply(span);
        }
    }

    /// Translates a redacted span.
    pub(crate) fn translate(&self, span: &mut SpanData) -> Translated {
        self.make_numbers(&mut span.attributes);
        let found = Found::new(&self.names, &span.attributes);
        let mut edit = Edit::new(self.dialect, found);
        self.constants(&mut edit);
        if edit.found.any() {
            translate(&mut edit, span);
        }
        let Edit {
            added,
            mut removed,
            combined,
            ..
        } = edit;
        let source = |of: &Added| {
            let position = of.source?;
            let is_copy = span.attributes[position].value == of.attribute.value;
            Some(Source { position, is_copy })
        };
        let sources = added.iter().map(source).collect();
        removed.sort_unstable();
        removed.dedup();
        for position in removed.into_iter().rev() {
            span.attributes.remove(position);
        }
        let from = span.attributes.len();
        let added = added.into_iter().map(|of| of.attribute);
        span.attributes.extend(added);
        Translated {
            from,
            sources,
            combined,
        }
    }

    /// Converts numbers that a library recorded as text.
    fn make_numbers(&self, attributes: &mut [KeyValue]) {
        for attribute in attributes {
            if let Value::String(text) = &attribute.value
                && is_number(text.as_str())
                && let Some(shape) = self.names.shape(attribute.key.as_str())
                && let Some(number) = number(shape, text.as_str())
            {
                attribute.value = number;
            }
        }
    }

    /// Writes the fields that are the same for every span.
    fn constants(&self, edit: &mut Edit<'_>) {
        for (id, value) in [
            (Id::Environment, &self.environment),
            (Id::Release, &self.release),
        ] {
            if let (Some(value), None) = (value, edit.found.value(id)) {
                edit.write(id, value.clone(), None);
            }
        }
    }
}

/// Returns `true` if a text looks like a number.
fn is_number(text: &str) -> bool {
    text.len() <= 32 && text.starts_with(|first: char| first.is_ascii_digit() || first == '-')
}

/// Returns the number in a text.
fn number(shape: Shape, text: &str) -> Option<Value> {
    match shape {
        Shape::Integer => match text.parse() {
            Ok(number) => Some(Value::I64(number)),
            Err(_) => real(text).map(fields::integer),
        },
        Shape::Number => real(text).map(Value::F64),
        _ => None,
    }
}

fn real(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn translate(edit: &mut Edit<'_>, span: &SpanData) {
    let kind = Kind::of_span(&edit.found);
    for id in COPIED.iter().chain(USAGE) {
        edit.copy(*id);
    }
    vendors::sessions(edit, kind.is_some());
    vendors::tags(edit);
    vendors::metadata(edit);
    vendors::finish_reason(edit);
    vendors::total_tokens(edit);
    if let Some(kind) = kind {
        kind.write(edit);
    }
    let kind = kind.unwrap_or(Kind::step());
    models(edit, kind);
    entity(edit, kind);
    if edit.dialect.has_open_inference() {
        parameters::to_json(edit, kind.is_embedding());
    }
    if edit.dialect.has_gen_ai() && edit.dialect.has_only_conventions() {
        parameters::from_json(edit);
    }
    content::translate(edit, kind);
    if edit.dialect == Dialect::Langfuse {
        vendors::langfuse(edit, kind, span.start_time);
    }
}

/// Writes the model. OpenInference has that of embeddings under another name, and Langfuse looks up
/// the price of the one that answered.
fn models(edit: &mut Edit<'_>, kind: &Kind) {
    let [of_calls, of_embeddings] = [Id::Model, Id::EmbeddingModel];
    let first = [of_calls, of_embeddings]
        .into_iter()
        .find_map(|id| edit.found.first(id));
    if edit.dialect == Dialect::Langfuse
        && let Some((source, model)) = edit.found.first(Id::ResponseModel).or(first)
    {
        let names = of_calls.field().langfuse;
        edit.write_names(of_calls, names, model.clone(), Some(source));
    }
    let Some((source, model)) = first else { return };
    if edit.dialect.has_gen_ai() {
        let names = of_calls.field().gen_ai;
        edit.write_names(of_calls, names, model.clone(), Some(source));
        edit.supersede(of_calls, of_embeddings);
    }
    if !edit.dialect.has_open_inference() {
        return;
    }
    if kind.is_embedding() {
        edit.write(of_embeddings, model.clone(), Some(source));
        edit.supersede(of_embeddings, of_calls);
    } else if edit.found.value(of_calls).is_some() {
        let names = of_calls.field().open_inference;
        edit.write_names(of_calls, names, model.clone(), Some(source));
    }
}

/// Writes the name of an agent or a tool that Traceloop has in one attribute.
fn entity(edit: &mut Edit<'_>, kind: &Kind) {
    let id = if kind.is_agent() {
        Id::AgentName
    } else if kind.is_tool() {
        Id::ToolName
    } else {
        return;
    };
    if let (Some((source, name)), None) = (edit.found.first(Id::Entity), edit.found.value(id)) {
        edit.write(id, name.clone(), Some(source));
    }
}
