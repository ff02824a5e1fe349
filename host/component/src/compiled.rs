//! A compiled component, and one run of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::artifact::Artifact;
use super::classify::comes_again;
use super::error::LoadError;
use super::event::SelectorEvent;
use super::host_state::HostState;
use super::instance::{GuestInstance, Selected};
use super::stateful::StatefulInstance;
use super::text::printable;
use spanmux_core::ContextView;
use spanmux_core::internal::Run;
use spanmux_core::internal::panic_message;
use spanmux_core::{Choice, Decision, Fallback, Origin, RunCost};
use spanmux_core::{TracerNames, internal::truncate};

/// Stack that the host's own frames need below a guest's. Unoptimised frames are several times
/// larger.
const HOST_STACK: usize = if cfg!(debug_assertions) {
    1 << 20
} else {
    256 << 10
};

/// A component under the name of one file, ready to be instantiated.
pub(super) struct Compiled {
    pub(super) name: String,
    pub(super) artifact: Arc<Artifact>,
    pub(super) host: Arc<HostState>,
}

impl Compiled {
    /// Starts an instance and drops it.
    pub(super) fn try_start(&self) -> Result<(), LoadError> {
        let Some(_place) = self.host.clock.enter(self.host.limits.wall_clock) else {
            return Err(LoadError::Host {
                message: Fallback::Overloaded.to_string(),
            });
        };
        guarded(self.host.limits.stack_bytes, || {
            let mut live = GuestInstance::new(self)?;
            let instance = live.instantiate(self)?;
            // A function of another type could never be called.
            let select = live.typed(&instance, self);
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

    /// Runs the component for one decision, in a fresh instance or in the stateful one.
    pub(super) fn run(
        &self,
        kept: Option<&StatefulInstance>,
        context: &ContextView<'_>,
        tracers: &TracerNames,
    ) -> Run {
        let limits = &self.host.limits;
        let began = Instant::now();
        // The stateful instance comes first: a thread that waits for it must not occupy a slot.
        let mut kept = match kept.map(|kept| kept.enter(limits.admission_wait)) {
            Some(None) => return Run::none(Fallback::Overloaded),
            Some(entered) => entered,
            None => None,
        };
        let Some(_place) = self.host.clock.enter(limits.admission_wait) else {
            return Run::none(Fallback::Overloaded);
        };
        let mut fuel = 0;
        let mut asked = None;
        let selected = guarded(limits.stack_bytes, || {
            let mut live = match kept.as_deref_mut().and_then(Option::take) {
                Some(mut live) => {
                    live.arm(self)?;
                    live
                }
                None => GuestInstance::new(self)?,
            };
            let selected = live.ask(self, context, tracers);
            fuel = limits
                .fuel
                .saturating_sub(live.store.get_fuel().unwrap_or(0));
            self.log_printed(&mut live);
            let pure = selected.as_ref().map_or_else(comes_again, |_| true);
            if pure && live.is_started() {
                asked = Some(live.store.data_mut().take_asked());
            }
            // An instance that was stopped is never used again.
            if let (Some(kept), true) = (kept.as_deref_mut(), selected.is_ok()) {
                *kept = Some(live);
            }
            selected
        });
        let took = began.elapsed();
        Run {
            decision: Decision {
                choice: self.choice(selected, tracers),
                origin: Origin::Run(RunCost { took, fuel }),
            },
            asked,
        }
    }

    /// Converts the guest's result to a choice. Every result has one.
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

    fn log_printed(&self, live: &mut GuestInstance) {
        if let Some(printed) = live.store.data_mut().world.take_printed() {
            // One event per decision, because a guest determines the number of lines.
            let printed = printable(printed.trim_end().chars());
            tracing::info!(selector = self.name, printed, "a selector printed");
            self.host.events.emit(|| SelectorEvent::Printed {
                selector: self.name.clone(),
                text: printed,
            });
        }
    }
}

/// Runs the guest with sufficient stack and catches panics.
///
/// The frames of the host and of the guest share the caller's stack. If too little is left (a small
/// thread, a deep call), a larger stack is allocated for the call, so that no guard page is hit.
fn guarded<T>(
    guest_stack: usize,
    run: impl FnOnce() -> Result<T, Fallback>,
) -> Result<T, Fallback> {
    let needed = guest_stack.saturating_add(HOST_STACK);
    // A panic here is a fault of the engine and not of the caller. The store is dropped, and no
    // other state is affected.
    catch_unwind(AssertUnwindSafe(|| {
        stacker::maybe_grow(needed, needed.saturating_add(HOST_STACK), run)
    }))
    .unwrap_or_else(|panic| Err(Fallback::Host(panic_message(&*panic))))
}
