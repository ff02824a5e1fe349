//! One component selector, and one decision of it: a fresh instance, asked once.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::{ComponentExportIndex, Instance, InstancePre, TypedFunc};
use wasmtime::{Store, Trap};

use super::error::LoadError;
use super::sandbox::Sandbox;
use super::shared::Shared;
use super::stop::Stop;
use super::words::printable;
use crate::context::ContextView;
use crate::decision::{Budget, Choice, Decision, Fallback, Origin, RunCost};
use crate::selector::{Selector, panic_message};
use crate::tracer_names::{TracerNames, truncate};

/// What the host's own frames need below a guest's. Unoptimised they are several
/// times as large.
const HOST_STACK: usize = if cfg!(debug_assertions) {
    1 << 20
} else {
    256 << 10
};

/// What a selection hands back.
type Selected = Result<Option<String>, String>;

/// A selector that is a component: compiled once, started afresh for each
/// decision.
///
/// A `SelectorHost` makes it. Cheap to clone.
#[derive(Clone)]
pub struct ComponentSelector {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    digest: String,
    bytes: usize,
    imports: Vec<String>,
    host: Arc<Shared>,
    pre: InstancePre<Sandbox>,
    select: ComponentExportIndex,
}

impl ComponentSelector {
    pub(super) fn new(
        name: String,
        digest: String,
        bytes: usize,
        host: Arc<Shared>,
        pre: InstancePre<Sandbox>,
        select: ComponentExportIndex,
        imports: Vec<String>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                name,
                digest,
                bytes,
                imports,
                host,
                pre,
                select,
            }),
        }
    }

    /// The size of its file in bytes.
    pub fn file_bytes(&self) -> usize {
        self.inner.bytes
    }

    /// What it imports, by name. A selector in Rust, C or Go imports the runtime
    /// context and nothing else.
    pub fn imports(&self) -> &[String] {
        &self.inner.imports
    }

    /// Starts an instance and drops it.
    pub(super) fn try_start(&self) -> Result<(), LoadError> {
        let inner = &*self.inner;
        let Some(_place) = inner.host.admission.enter(inner.host.limits.wall_clock) else {
            return Err(LoadError::Host {
                message: Fallback::Overloaded.to_string(),
            });
        };
        let _running = inner.host.clock.run();
        guarded(inner.host.limits.stack_bytes, || {
            let mut store = inner.store()?;
            let instance = inner.start(&mut store)?;
            // Of another shape it could never be asked.
            let select = inner.typed(&instance, &mut store);
            Ok(select.map(drop).map_err(|error| LoadError::Link {
                message: format!("its `select` has another signature ({error:#})"),
            }))
        })
        .unwrap_or_else(|fallback| {
            Err(match fallback {
                Fallback::Host(message) => LoadError::Host { message },
                Fallback::Trapped(message) => LoadError::StartUp { message },
                other => LoadError::StartUp {
                    message: other.to_string(),
                },
            })
        })
    }
}

impl Selector for ComponentSelector {
    fn name(&self) -> &str {
        &self.inner.name
    }

    fn digest(&self) -> Option<&str> {
        Some(&self.inner.digest)
    }

    fn decide(&self, context: &ContextView<'_>, tracers: &TracerNames) -> Decision {
        let inner = &*self.inner;
        let limits = &inner.host.limits;
        let began = Instant::now();
        let Some(_place) = inner.host.admission.enter(limits.admission_wait) else {
            return Decision {
                choice: Choice::Fallback(Fallback::Overloaded),
                origin: Origin::Native,
            };
        };
        let _running = inner.host.clock.run();
        let mut fuel = 0;
        let selected = guarded(limits.stack_bytes, || {
            let mut store = inner.store()?;
            let selected = inner.select(&mut store, context, tracers);
            fuel = limits.fuel.saturating_sub(store.get_fuel().unwrap_or(0));
            inner.log_printed(&store);
            selected
        });
        Decision {
            choice: inner.choice(selected, tracers),
            origin: Origin::Run(RunCost {
                took: began.elapsed(),
                fuel,
            }),
        }
    }
}

impl Inner {
    /// A store with every limit armed, before anything of the guest runs.
    fn store(&self) -> Result<Store<Sandbox>, Fallback> {
        let limits = &self.host.limits;
        let mut store = Store::try_new(&self.host.engine, Sandbox::new(limits))
            .map_err(|error| Fallback::Host(error.to_string()))?;
        store.limiter(|sandbox| &mut sandbox.quota);
        store
            .set_fuel(limits.fuel)
            .map_err(|error| Fallback::Host(error.to_string()))?;
        store.set_epoch_deadline(limits.ticks());
        store.set_hostcall_fuel(limits.answer_bytes);
        Ok(store)
    }

    fn typed(
        &self,
        instance: &Instance,
        store: &mut Store<Sandbox>,
    ) -> wasmtime::Result<TypedFunc<(&'static [String],), (Selected,)>> {
        instance.get_typed_func(store, self.select)
    }

    /// An instance. What stops it here is the guest's fault if the guest ran or
    /// wanted too much; anything else is ours, because nothing was asked yet.
    fn start(&self, store: &mut Store<Sandbox>) -> Result<Instance, Fallback> {
        self.pre
            .instantiate(&mut *store)
            .map_err(|error| match fault(&error) {
                Fallback::Trapped(message)
                    if !error.is::<Trap>()
                        && !error.is::<Stop>()
                        && !store.data().quota.refused =>
                {
                    Fallback::Host(message)
                }
                fallback => fallback,
            })
    }

    fn select(
        &self,
        store: &mut Store<Sandbox>,
        context: &ContextView<'_>,
        tracers: &TracerNames,
    ) -> Result<Selected, Fallback> {
        let instance = self.start(store)?;
        let fault = |error: wasmtime::Error| fault(&error);
        let select = self.typed(&instance, &mut *store).map_err(fault)?;
        store.data_mut().open(context.freeze());
        let (selected,) = select
            .call(&mut *store, (tracers.as_slice(),))
            .map_err(fault)?;
        Ok(selected)
    }

    /// From what the guest handed back to a choice. Total.
    fn choice(&self, selected: Result<Selected, Fallback>, tracers: &TracerNames) -> Choice {
        match selected {
            Ok(Ok(Some(name))) => tracers.choose(&name),
            Ok(Ok(None)) => Choice::Abstain,
            Ok(Err(mut message)) => {
                truncate(&mut message, self.host.limits.message_bytes);
                Choice::failed(printable(message.chars()))
            }
            Err(fallback) => Choice::Fallback(fallback),
        }
    }

    fn log_printed(&self, store: &Store<Sandbox>) {
        if let Some(printed) = store.data().world.printed() {
            tracing::info!(selector = self.name, printed, "a selector printed");
        }
    }
}

/// Runs the guest with enough stack, and without letting a panic out.
///
/// The host's frames and the guest's share the caller's stack. Where too little is
/// left of it (a small thread, a deep call), a stack is borrowed, so that no guard
/// page is ever hit.
fn guarded<T>(
    guest_stack: usize,
    run: impl FnOnce() -> Result<T, Fallback>,
) -> Result<T, Fallback> {
    let needed = guest_stack.saturating_add(HOST_STACK);
    // A panic here is a fault of the engine and not of the caller. The store goes
    // with it, and nothing else was touched.
    catch_unwind(AssertUnwindSafe(|| {
        stacker::maybe_grow(needed, needed.saturating_add(HOST_STACK), run)
    }))
    .unwrap_or_else(|panic| Err(Fallback::Host(panic_message(&*panic))))
}

/// Names what stopped a guest.
fn fault(error: &wasmtime::Error) -> Fallback {
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return match trap {
            Trap::OutOfFuel => Fallback::OutOfBudget(Budget::Fuel),
            Trap::Interrupt => Fallback::OutOfBudget(Budget::WallClock),
            Trap::StackOverflow => Fallback::OutOfBudget(Budget::Stack),
            other => {
                let message = other.to_string();
                let message = message.strip_prefix("wasm trap: ").unwrap_or(&message);
                Fallback::Trapped(message.to_owned())
            }
        };
    }
    match error.downcast_ref::<Stop>() {
        Some(stop @ Stop::NoMemory(_)) => return Fallback::Host(stop.to_string()),
        Some(stop) => return Fallback::Trapped(stop.to_string()),
        None => {}
    }
    if error
        .downcast_ref::<wasmtime::PoolConcurrencyLimitError>()
        .is_some()
    {
        return Fallback::Host(error.to_string());
    }
    let message = error.root_cause().to_string();
    // The engine has no type for this one; a test holds its words.
    if message.contains("fuel allocated for hostcalls has been exhausted") {
        return Fallback::OutOfBudget(Budget::Bytes);
    }
    Fallback::Trapped(printable(message.chars()))
}

impl fmt::Debug for ComponentSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComponentSelector")
            .field("name", &self.inner.name)
            .field("digest", &self.inner.digest)
            .field("bytes", &self.inner.bytes)
            .field("imports", &self.inner.imports)
            .finish_non_exhaustive()
    }
}
