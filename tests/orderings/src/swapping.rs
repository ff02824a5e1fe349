//! Models of changes to the registry. A tracer is its own name, so that a wrong position is
//! detected.

use std::sync::Arc;

use loom::thread;

use spanmux_core::{Chain, RuntimeContext, TracerRegistry, selector_fn};

type Registry = TracerRegistry<&'static str>;

fn registry() -> Arc<Registry> {
    let registry = Registry::new();
    registry.register("console", "console").expect("a new name");
    Arc::new(registry)
}

/// Chooses the last tracer.
fn last() -> Chain {
    Chain::from(selector_fn("last", |_, tracers| {
        let last = tracers.as_slice().last().map_or("", String::as_str);
        tracers.choose(last)
    }))
}

/// Checks that the selected tracer is registered under its own name, and the reason.
fn select(registry: &Registry) {
    let context = RuntimeContext::builder().build();
    let selection = registry.select(&context.view());
    let tracer = selection.tracer().expect("one is registered");
    assert_eq!(selection.tracer_name(), Some(**tracer));
    let chosen = selection.selector_name() == Some("last");
    assert_eq!(chosen, selection.reason().cause().is_none());
}

/// One thread replaces a tracer, one sets the chain, and one selects.
pub(crate) fn a_reader_sees_one_state_whole() {
    let registry = registry();
    let changes = {
        let registry = registry.clone();
        thread::spawn(move || {
            registry
                .register("langfuse", "langfuse")
                .expect("a new name");
            assert!(registry.unregister("console"));
        })
    };
    let chain = {
        let registry = registry.clone();
        thread::spawn(move || registry.set_selectors(last()))
    };
    select(&registry);
    select(&registry);
    changes.join().expect("it changed");
    chain.join().expect("it changed");
    select(&registry);
    assert_eq!(registry.counts().total(), 3, "each is counted once");
    assert_eq!(registry.names().as_slice(), ["langfuse"]);
    assert_eq!(registry.selectors().len(), 1);
}

/// Two threads register concurrently, and a third sets the chain.
pub(crate) fn no_change_is_lost() {
    let registry = registry();
    let others = ["langfuse", "datadog"].map(|name| {
        let registry = registry.clone();
        thread::spawn(move || registry.register(name, name).expect("a new name"))
    });
    registry.set_selectors(last());
    for other in others {
        other.join().expect("it registered");
    }
    for name in ["console", "langfuse", "datadog"] {
        assert!(registry.contains(name), "{name} was lost");
    }
    assert_eq!(registry.selectors().len(), 1, "the chain was lost");
}
