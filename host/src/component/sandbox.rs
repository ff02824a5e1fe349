//! What one decision owns: the context that it may ask, the world that it sees,
//! the limits that it runs in. Made for one decision and dropped after it.

use std::fmt;

use wasmtime::component::{ComponentType, Lift, Linker, Lower};
use wasmtime::{ResourceLimiter, StoreContextMut, Trap};

use super::error::LoadError;
use super::limits::Limits;
use super::manifest::{RUNTIME_CONTEXT, VERSION};
use super::world::World;
use crate::context::{FrozenView, Value};

/// Fuel for entering the host, beside that for the bytes: as many instructions as
/// take the time, so that a guest which only asks runs out of fuel and not of time.
const FUEL_PER_QUESTION: u64 = 1_000;
/// Fuel for each key of a listing, which is copied and sorted.
const FUEL_PER_KEY: u64 = 250;

/// The data of a store.
pub(super) struct Sandbox {
    /// What may be asked; none while the instance starts up.
    context: Option<FrozenView>,
    pub(super) world: World,
    pub(super) quota: Quota,
}

impl Sandbox {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            context: None,
            world: World::new(limits.printed_bytes),
            quota: Quota::new(limits),
        }
    }

    /// From here on the guest may ask.
    pub(super) fn open(&mut self, context: FrozenView) {
        self.context = Some(context);
    }
}

/// Faults of a guest that are the host's to name.
#[derive(Debug)]
pub(super) enum Stop {
    /// A question asked while the instance starts up.
    AskedInStartUp,
    /// `bucket` with no buckets.
    NoBuckets,
    /// A fault in the empty world: it exited, or called what is not there.
    World(String),
    /// The system had no memory. Not the guest's doing, and so no trap.
    NoMemory(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::AskedInStartUp => f.write_str("it asked the runtime context in its start-up"),
            Stop::NoBuckets => f.write_str("it asked for a share of zero buckets"),
            Stop::World(message) => f.write_str(message),
            Stop::NoMemory(message) => write!(f, "the system gave no memory: {message}"),
        }
    }
}

impl std::error::Error for Stop {}

/// A value on its way to the guest, in the cases of the contract.
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

impl Answer {
    fn bytes(&self) -> usize {
        match self {
            Answer::Text(text) | Answer::Json(text) => text.len(),
            _ => 0,
        }
    }
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

/// Gives guests the `runtime-context` interface: the four questions, each answered
/// by the one view that native selectors ask too.
pub(super) fn link(linker: &mut Linker<Sandbox>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(&format!("{RUNTIME_CONTEXT}@{VERSION}"))?;

    interface.func_wrap("get", |mut store: Store<'_>, (key,): (String,)| {
        burn_look_up(&mut store, &key, 0)?;
        let answer = store.data().ask()?.view().get(&key).map(Answer::from);
        take_fuel(&mut store, answer.as_ref().map_or(0, Answer::bytes) as u64)?;
        Ok((answer,))
    })?;

    interface.func_wrap("has", |mut store: Store<'_>, (key,): (String,)| {
        burn_look_up(&mut store, &key, 0)?;
        Ok((store.data().ask()?.view().has(&key),))
    })?;

    interface.func_wrap("keys", |mut store: Store<'_>, (): ()| {
        let answer = store.data().ask()?.view().keys();
        let bytes = answer.iter().map(String::len).sum();
        burn(&mut store, bytes, answer.len())?;
        Ok((answer,))
    })?;

    interface.func_wrap(
        "bucket",
        |mut store: Store<'_>, (key, salt, buckets): (String, String, u32)| {
            burn_look_up(&mut store, &key, salt.len())?;
            let context = store.data().ask()?.view();
            if buckets == 0 {
                return Err(Stop::NoBuckets.into());
            }
            let answer = context.bucket(&key, &salt, buckets);
            // The value is hashed and not handed over.
            let hashed = context.get(&key).map_or(0, |value| match value {
                Value::Text(text) | Value::Json(text) => text.len(),
                _ => 0,
            });
            take_fuel(&mut store, hashed as u64)?;
            Ok((answer,))
        },
    )
}

/// The questions of this version of the contract.
const QUESTIONS: [&str; 4] = ["get", "has", "keys", "bucket"];

/// Refuses a guest that was built for a newer contract and asks what this host
/// cannot answer.
pub(super) fn check_questions<'a>(
    interface: &str,
    imported: impl Iterator<Item = &'a str>,
) -> Result<(), LoadError> {
    // Besides its functions the interface has one type.
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

impl Sandbox {
    fn ask(&self) -> wasmtime::Result<&FrozenView> {
        self.context
            .as_ref()
            .ok_or_else(|| Stop::AskedInStartUp.into())
    }
}

/// Takes fuel for what the host does in the guest's name, so that a guest pays
/// for a question as it pays for a loop.
pub(super) fn burn(store: &mut Store<'_>, bytes: usize, keys: usize) -> wasmtime::Result<()> {
    let cost = FUEL_PER_QUESTION
        .saturating_add(bytes as u64)
        .saturating_add((keys as u64).saturating_mul(FUEL_PER_KEY));
    take_fuel(store, cost)
}

/// Takes fuel for looking a key up, before it is looked up: each dot of a path may
/// end the name of an object, so each costs the key's bytes once more.
fn burn_look_up(store: &mut Store<'_>, key: &str, salt: usize) -> wasmtime::Result<()> {
    store.data().ask()?;
    let dots = key.bytes().filter(|byte| *byte == b'.').count();
    let bytes = key.len().saturating_mul(1 + dots);
    burn(store, bytes.saturating_add(salt), 0)
}

fn take_fuel(store: &mut Store<'_>, cost: u64) -> wasmtime::Result<()> {
    let left = store.get_fuel()?.checked_sub(cost);
    store.set_fuel(left.unwrap_or(0))?;
    match left {
        Some(_) => Ok(()),
        None => Err(Trap::OutOfFuel.into()),
    }
}

/// Memory and tables of one instance. Our own limit is a plain "no" that the guest
/// sees, the same on every machine. A refusal by the system is an error, because a
/// guest that could see it would decide by the weather.
pub(super) struct Quota {
    memory_left: usize,
    table_left: usize,
    instances: usize,
    memories: usize,
    tables: usize,
    /// Whether it said no.
    pub(super) refused: bool,
}

impl Quota {
    fn new(limits: &Limits) -> Self {
        Self {
            memory_left: limits.memory_bytes,
            table_left: limits.table_elements,
            instances: limits.instances,
            memories: limits.memories,
            tables: limits.tables,
            refused: false,
        }
    }
}

impl ResourceLimiter for Quota {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = take(&mut self.memory_left, current, desired, maximum);
        self.refused |= !granted;
        Ok(granted)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(Stop::NoMemory(error.to_string()).into())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = take(&mut self.table_left, current, desired, maximum);
        self.refused |= !granted;
        Ok(granted)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(Stop::NoMemory(error.to_string()).into())
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        self.memories
    }

    fn tables(&self) -> usize {
        self.tables
    }
}

/// Takes the growth out of what is left, if the growth can be and there is enough.
fn take(left: &mut usize, current: usize, desired: usize, maximum: Option<usize>) -> bool {
    if maximum.is_some_and(|maximum| desired > maximum) {
        return false;
    }
    match left.checked_sub(desired.saturating_sub(current)) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    }
}
