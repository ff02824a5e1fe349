//! Opens a policy on a thread of the pool.

use napi::{Env, Error, Result, Task};
use napi_derive::napi;
use spanmux_component::CompileCache;
use spanmux_embed::{Policy as Live, PolicyBuilder, limits};

use crate::event::Callback;
use crate::policy::Policy;
use crate::selector::Function;

/// The settings of a policy.
#[napi(object, object_to_js = false)]
pub struct PolicyOptions {
    pub watch: Option<bool>,
    pub lock: Option<String>,
    pub cache: Option<String>,
    pub limit_names: Option<Vec<String>>,
    pub limit_values: Option<Vec<f64>>,
    /// The names of the functions.
    pub selectors: Option<Vec<String>>,
    pub small: Option<bool>,
}

impl PolicyOptions {
    pub(crate) fn builder(self, path: String) -> Result<PolicyBuilder> {
        let mut builder = Live::builder(path).watch(self.watch.unwrap_or(true));
        if let Some(lock) = self.lock {
            builder = builder.lock(lock);
        }
        if let Some(small) = self.small {
            builder = builder.small(small);
        }
        if let Some(cache) = self.cache {
            builder = builder.cache(CompileCache::in_directory(cache));
        }
        if let (Some(names), Some(values)) = (self.limit_names, self.limit_values) {
            let given = names.iter().map(String::as_str).zip(values);
            builder = builder.limits(limits(given).map_err(Error::from_reason)?);
        }
        for (place, name) in self.selectors.into_iter().flatten().enumerate() {
            builder = builder.native_selector(Function { name, place });
        }
        Ok(builder)
    }
}

/// A policy that is being opened.
pub struct Loading {
    pub(crate) builder: Option<PolicyBuilder>,
    pub(crate) callback: Callback,
}

impl Task for Loading {
    type Output = Live;
    type JsValue = Policy;

    fn compute(&mut self) -> Result<Live> {
        let builder = self.builder.take();
        let builder = builder.ok_or_else(|| Error::from_reason("the policy is open already"))?;
        builder
            .open()
            .map_err(|error| Error::from_reason(error.to_string()))
    }

    fn resolve(&mut self, _: Env, live: Live) -> Result<Policy> {
        Ok(Policy {
            live,
            callback: self.callback.clone(),
        })
    }
}
