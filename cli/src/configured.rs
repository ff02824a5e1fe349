//! Builds a configuration in the CLI, without the code of a service.

use opentelemetry_sdk::trace::SdkTracerProvider;
use spanmux::config::{Config, ConfigBuilder};
use spanmux::otel::Sampling;
use spanmux::{Choice, selector_fn};

use crate::args::CacheArgs;
use crate::commands::compile_cache;

/// Returns a builder with placeholders for the parts that code provides: tracers that drop
/// their spans, selectors that abstain, and samplings that record everything.
pub(crate) fn with_stand_ins(config: Config, cache: &CacheArgs) -> ConfigBuilder {
    let natives = config.native_selectors().to_vec();
    let tracers = config.tracers();
    let mut builder = config.builder().cache(compile_cache(cache));
    for tracer in tracers {
        if tracer.is_provided() {
            builder = builder.tracer(tracer.name, SdkTracerProvider::builder());
        } else if let Some(name) = tracer.custom_sampling {
            builder = builder.sampling(name, Sampling::Always);
        }
    }
    for name in natives {
        builder = builder.native_selector(selector_fn(name, |_, _| Choice::Abstain));
    }
    builder
}
