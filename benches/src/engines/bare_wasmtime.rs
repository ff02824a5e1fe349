//! wasmtime without Spanmux: the same components in a host of a few lines, in the fastest
//! configuration found without unsafe code. One pair of rows gives no guarantees. The other gives
//! those of Spanmux: a decision ends within limits, and is the same on every machine.

use anyhow::{Context as _, Result, anyhow};
use spanmux::{RuntimeContext, Value};
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentType, InstancePre, Lift, Linker, Lower, TypedFunc,
};
use wasmtime::{
    Config, Engine as Machine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    StoreContextMut, StoreLimits, StoreLimitsBuilder,
};

use crate::engines::{Engine, Row};
use crate::questions::{Case, Question, TRACERS, tracer};

const FUEL: u64 = 20_000_000;

type Select = TypedFunc<(&'static [String],), (Result<Option<String>, String>,)>;

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

struct State {
    context: RuntimeContext,
    limits: StoreLimits,
}

/// State that all threads share.
#[derive(Clone)]
struct Prepared {
    machine: Machine,
    instance: InstancePre<State>,
    select: ComponentExportIndex,
    promises: bool,
}

fn config(promises: bool) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(16)
        .total_core_instances(64)
        .total_memories(16)
        .total_tables(64)
        .max_memory_size(64 << 20)
        .table_elements(64)
        .linear_memory_keep_resident(64 << 10)
        .table_keep_resident(64 << 10);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .concurrency_support(false)
        .gc_support(false)
        .wasm_backtrace_max_frames(None)
        .consume_fuel(promises)
        .epoch_interruption(promises)
        .cranelift_nan_canonicalization(promises);
    config
}

impl Prepared {
    fn new(question: Question, promises: bool) -> wasmtime::Result<Self> {
        let machine = Machine::new(&config(promises))?;
        let component = Component::new(&machine, question.component())?;
        let mut linker = Linker::new(&machine);
        linker
            .instance("spanmux:selector/runtime-context@0.1.0")?
            .func_wrap(
                "get",
                |store: StoreContextMut<'_, State>, (key,): (String,)| {
                    let view = store.data().context.view();
                    Ok((view.get(&key).map(|value| match value {
                        Value::Null => Answer::Null,
                        Value::Boolean(boolean) => Answer::Boolean(boolean),
                        Value::Integer(integer) => Answer::Integer(integer),
                        Value::Float(float) => Answer::Float(float),
                        Value::Text(text) => Answer::Text(text.to_owned()),
                        Value::Json(text) => Answer::Json(text.to_owned()),
                    }),))
                },
            )?;
        let instance = linker.instantiate_pre(&component)?;
        let selection = component
            .get_export_index(None, "spanmux:selector/selection@0.1.0")
            .and_then(|interface| component.get_export_index(Some(&interface), "select"));
        let select = selection.ok_or_else(|| wasmtime::Error::msg("no `select`"))?;
        Ok(Self {
            machine,
            instance,
            select,
            promises,
        })
    }

    fn start(&self, context: &RuntimeContext) -> wasmtime::Result<(Store<State>, Select)> {
        let limits = StoreLimitsBuilder::new().memory_size(64 << 20).build();
        let context = context.clone();
        let mut store = Store::new(&self.machine, State { context, limits });
        if self.promises {
            store.limiter(|state| &mut state.limits);
            store.set_fuel(FUEL)?;
            store.set_epoch_deadline(20);
        }
        let instance = self.instance.instantiate(&mut store)?;
        let select = instance.get_typed_func(&mut store, self.select)?;
        Ok((store, select))
    }
}

fn call(store: &mut Store<State>, select: Select, names: &[String]) -> wasmtime::Result<usize> {
    let (answer,) = select.call(store, (names,))?;
    Ok(match answer {
        Ok(Some(name)) => tracer(&name),
        _ => usize::MAX,
    })
}

struct Fresh(Prepared, Vec<String>);

impl Engine for Fresh {
    fn decide(&mut self, case: &Case) -> usize {
        let decided = self
            .0
            .start(&case.context)
            .and_then(|(mut store, select)| call(&mut store, select, &self.1));
        decided.unwrap_or(usize::MAX)
    }
}

struct Reused {
    store: Store<State>,
    select: Select,
    names: Vec<String>,
    promises: bool,
}

impl Engine for Reused {
    fn decide(&mut self, case: &Case) -> usize {
        self.store.data_mut().context = case.context.clone();
        if self.promises {
            self.store.set_epoch_deadline(20);
            if self.store.set_fuel(FUEL).is_err() {
                return usize::MAX;
            }
        }
        call(&mut self.store, self.select, &self.names).unwrap_or(usize::MAX)
    }
}

fn plain(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}

const ROUTES: [&str; 4] = [
    "fresh, no promises",
    "reused, no promises",
    "fresh, same promises",
    "reused, same promises",
];

/// A single row with one engine for all of its threads.
pub fn row(route: &str, question: Question) -> Result<Row> {
    let known = ROUTES.into_iter().find(|known| *known == route);
    let route = known.context("no such route")?;
    let names = || TRACERS.map(str::to_owned).to_vec();
    let promises = route.ends_with("same promises");
    let prepared = Prepared::new(question, promises).map_err(plain)?;
    Ok(if route.starts_with("fresh") {
        Row::new("wasmtime", route, move || {
            Ok(Fresh(prepared.clone(), names()))
        })
    } else {
        Row::new("wasmtime", route, move || {
            let (store, select) = prepared.start(&RuntimeContext::empty()).map_err(plain)?;
            Ok(Reused {
                store,
                select,
                names: names(),
                promises,
            })
        })
    })
}

pub fn rows(question: Question) -> Result<Vec<Row>> {
    ROUTES
        .into_iter()
        .map(|route| row(route, question))
        .collect()
}
