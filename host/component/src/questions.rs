//! The `runtime-context` interface: the four questions of a guest.

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker, Lower};

use super::contract::{RUNTIME_CONTEXT, VERSION};
use super::error::LoadError;
use super::fuel;
use super::guest_fault::GuestFault;
use super::sandbox::Sandbox;
use spanmux_core::Value;
use spanmux_core::internal::{self as context, Question};

/// A value in the cases of the contract, ready for the guest.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum Answer {
    #[component(name = "null")]
    Null,
    #[component(name = "boolean")]
    Boolean(bool),
    #[component(name = "integer")]
    Integer(i64),
    #[component(name = "float")]
    Float(f64),
    #[component(name = "text")]
    Text(String),
    #[component(name = "json")]
    Json(String),
}

impl From<Value<'_>> for Answer {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Answer::Null,
            Value::Boolean(boolean) => Answer::Boolean(boolean),
            Value::Integer(integer) => Answer::Integer(integer),
            Value::Float(float) => Answer::Float(float),
            Value::Text(text) => Answer::Text(text.to_owned()),
            Value::Json(text) => Answer::Json(text.to_owned()),
        }
    }
}

/// Links the `runtime-context` interface: the four questions, answered by the same view as for
/// native selectors.
pub(super) fn link(linker: &mut Linker<Sandbox>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(&format!("{RUNTIME_CONTEXT}@{VERSION}"))?;

    interface.func_wrap("get", |mut store: Store<'_>, (key,): (String,)| {
        burn_look_up(&mut store, &key, 0)?;
        let (value, bytes) = match ask(&mut store, Question::get(key))? {
            context::Answer::Get(Some(value)) => (Some(Answer::from(value)), value.bytes()),
            _ => (None, 0),
        };
        fuel::take(&mut store, bytes as u64)?;
        Ok((value,))
    })?;

    interface.func_wrap("has", |mut store: Store<'_>, (key,): (String,)| {
        burn_look_up(&mut store, &key, 0)?;
        let answer = ask(&mut store, Question::has(key))?;
        Ok((matches!(answer, context::Answer::Has(true)),))
    })?;

    interface.func_wrap("keys", |mut store: Store<'_>, (): ()| {
        let keys = match ask(&mut store, Question::Keys)? {
            context::Answer::Keys(keys) => keys.list(),
            _ => Vec::new(),
        };
        let bytes = keys.iter().map(String::len).sum();
        fuel::burn(&mut store, bytes, keys.len())?;
        Ok((keys,))
    })?;

    interface.func_wrap(
        "bucket",
        |mut store: Store<'_>, (key, salt, buckets): (String, String, u32)| {
            burn_look_up(&mut store, &key, salt.len())?;
            if buckets == 0 {
                return Err(GuestFault::NoBuckets.into());
            }
            let (share, hashed) = match ask(&mut store, Question::bucket(key, salt, buckets))? {
                context::Answer::Bucket { share, hashed } => (share, hashed),
                _ => (None, 0),
            };
            // The value is hashed and not transferred.
            fuel::take(&mut store, hashed as u64)?;
            Ok((share,))
        },
    )
}

/// Records the question and answers it.
fn ask<'a>(store: &'a mut Store<'_>, question: Question) -> wasmtime::Result<context::Answer<'a>> {
    let (view, question) = store.data_mut().ask(question)?;
    Ok(question.ask(&view))
}

/// The questions of this version of the contract.
const QUESTIONS: [&str; 4] = ["get", "has", "keys", "bucket"];

/// Refuses a guest that was built for a newer contract and imports a question that this host lacks.
pub(super) fn check_questions<'a>(
    interface: &str,
    imported: impl Iterator<Item = &'a str>,
) -> Result<(), LoadError> {
    // In addition to its functions, the interface has one type.
    let mut unknown = imported.filter(|name| *name != "value" && !QUESTIONS.contains(name));
    match unknown.next() {
        None => Ok(()),
        Some(name) => Err(LoadError::Link {
            message: format!(
                "it asks `{name}` of `{interface}`, and this host speaks version {VERSION}, which \
                 has no such question"
            ),
        }),
    }
}

type Store<'a> = StoreContextMut<'a, Sandbox>;

/// Charges a look-up in advance: each dot of a path may end the name of an object, so each costs
/// the bytes of the key once more.
fn burn_look_up(store: &mut Store<'_>, key: &str, salt: usize) -> wasmtime::Result<()> {
    store.data().may_ask()?;
    let dots = key.bytes().filter(|byte| *byte == b'.').count();
    let bytes = key.len().saturating_mul(1 + dots);
    fuel::burn(store, bytes.saturating_add(salt), 0)
}
