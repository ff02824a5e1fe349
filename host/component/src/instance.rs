//! An instance of a guest: a store, and the exported function in it.

use wasmtime::component::{Instance, TypedFunc};
use wasmtime::{Store, Trap};

use super::classify::fault;
use super::compiled::Compiled;
use super::guest_fault::GuestFault;
use super::sandbox::Sandbox;
use spanmux_core::ContextView;
use spanmux_core::Fallback;
use spanmux_core::TracerNames;

/// The result of a selection.
pub(super) type Selected = Result<Option<String>, String>;

/// The exported function of a guest.
type Select = TypedFunc<(&'static [String],), (Selected,)>;

/// One sandbox.
pub(super) struct GuestInstance {
    pub(super) store: Store<Sandbox>,
    /// The number of the thread that created it, which determines its shard.
    thread: usize,
    /// `None` until the instance is started.
    select: Option<Select>,
}

impl GuestInstance {
    /// Creates a sandbox with every limit in place, before any code of the guest runs.
    pub(super) fn new(compiled: &Compiled) -> Result<Self, Fallback> {
        let host = &compiled.host;
        let thread = host.lanes.thread();
        let engine = compiled.artifact.start(thread).pre.engine();
        let mut store = Store::try_new(engine, Sandbox::new(&host.limits))
            .map_err(|error| Fallback::Host(error.to_string()))?;
        store.limiter(|sandbox| &mut sandbox.quota);
        let mut live = Self {
            store,
            thread,
            select: None,
        };
        live.arm(compiled)?;
        Ok(live)
    }

    /// Resets the budgets for one decision.
    pub(super) fn arm(&mut self, compiled: &Compiled) -> Result<(), Fallback> {
        let limits = &compiled.host.limits;
        self.store
            .set_fuel(limits.fuel)
            .map_err(|error| Fallback::Host(error.to_string()))?;
        self.store.set_epoch_deadline(limits.ticks());
        self.store.set_hostcall_fuel(limits.answer_bytes);
        Ok(())
    }

    pub(super) fn is_started(&self) -> bool {
        self.select.is_some()
    }

    /// Starts the instance if necessary.
    fn start(&mut self, compiled: &Compiled) -> Result<Select, Fallback> {
        if let Some(select) = self.select {
            return Ok(select);
        }
        let instance = self.instantiate(compiled)?;
        let select = self.typed(&instance, compiled);
        let select = select.map_err(|error| fault(&error))?;
        self.select = Some(select);
        Ok(select)
    }

    /// Instantiates the component. A failure is the guest's fault if the guest ran or exceeded a
    /// limit. Any other failure is the host's, because no question was asked yet.
    pub(super) fn instantiate(&mut self, compiled: &Compiled) -> Result<Instance, Fallback> {
        let start = compiled.artifact.start(self.thread);
        start
            .pre
            .instantiate(&mut self.store)
            .map_err(|error| match fault(&error) {
                Fallback::Trapped(message)
                    if !error.is::<Trap>()
                        && !error.is::<GuestFault>()
                        && !self.store.data().quota.refused =>
                {
                    Fallback::Host(message)
                }
                fallback => fallback,
            })
    }

    /// Returns the typed function of an instance.
    pub(super) fn typed(
        &mut self,
        instance: &Instance,
        compiled: &Compiled,
    ) -> wasmtime::Result<Select> {
        let start = compiled.artifact.start(self.thread);
        instance.get_typed_func(&mut self.store, start.select)
    }

    /// Calls the function for one decision.
    pub(super) fn ask(
        &mut self,
        compiled: &Compiled,
        context: &ContextView<'_>,
        tracers: &TracerNames,
    ) -> Result<Selected, Fallback> {
        let select = self.start(compiled)?;
        self.store.data_mut().open(context.to_owned_view());
        let (selected,) = select
            .call(&mut self.store, (tracers.as_slice(),))
            .map_err(|error| fault(&error))?;
        Ok(selected)
    }
}
