//! A policy as a JavaScript object.

use napi::bindgen_prelude::{AsyncTask, Function};
use napi::{Error, Result, Status};
use napi_derive::napi;
use spanmux_embed::Policy as Live;

use crate::event::{Callback, NativeEvent};
use crate::list::TracerList;
use crate::loading::{Loading, PolicyOptions};
use crate::status::PolicyStatus;

/// Live selectors that decide which tracer receives a trace.
#[napi]
pub struct Policy {
    pub(crate) live: Live,
    pub(crate) callback: Callback,
}

#[napi]
impl Policy {
    /// Opens a directory, a component or a configuration file on another thread.
    #[napi]
    pub fn load(
        path: String,
        options: PolicyOptions,
        on_event: Option<Function<'_, NativeEvent, ()>>,
    ) -> Result<AsyncTask<Loading>> {
        let mut builder = options.builder(path)?;
        let mut callback = Callback::default();
        if let Some(function) = on_event {
            callback = Callback::new(&function)?;
            let called = callback.clone();
            builder = builder.on_event(move |event| called.call(event));
        }
        Ok(AsyncTask::new(Loading {
            builder: Some(builder),
            callback,
        }))
    }

    /// Returns a list of tracers.
    #[napi]
    pub fn tracers(
        &self,
        names: Vec<String>,
        default: Option<String>,
        fallback: Option<String>,
    ) -> Result<TracerList> {
        let names = names.iter().map(String::as_str);
        let tracers = self
            .live
            .tracers(names, default.as_deref(), fallback.as_deref());
        let tracers = tracers.map_err(|error| invalid(&error.to_string()))?;
        Ok(TracerList { tracers })
    }

    /// Shows the rules that were learned for a list of tracers, or for the list that was used last.
    #[napi]
    pub fn explain(&self, list: Option<&TracerList>, format: String) -> Result<String> {
        let format = format.parse().map_err(|error: String| invalid(&error))?;
        let tracers = list.map(|list| &*list.tracers);
        Ok(self.live.explain(tracers, format))
    }

    /// Returns the status of the watched directory, or `None`.
    #[napi]
    pub fn status(&self) -> Option<PolicyStatus> {
        self.live.status().map(PolicyStatus::from)
    }

    /// Returns the names of the live selectors in order.
    #[napi]
    pub fn selectors(&self) -> Vec<String> {
        let chain = self.live.chain();
        chain.selectors().map(|one| one.name().to_owned()).collect()
    }

    /// Stops watching, and releases the callback for events. Decisions continue with the last live
    /// selectors.
    #[napi]
    pub fn close(&self) {
        self.live.close();
        self.callback.close();
    }
}

fn invalid(message: &str) -> Error {
    Error::new(Status::InvalidArg, message)
}
