//! Registries at their limits: a tracer beyond them is refused by name, and nothing is lost.

use std::sync::Arc;

use allocation_counter::measure;
use opentelemetry_sdk::trace::SdkTracerProvider;
use spanmux::otel::{OtelTracer, RoutingTracerProvider};
use spanmux::{
    Chain, MAX_NAME_BYTES, MAX_TRACER_BYTES, MAX_TRACERS, RegisterError, RuntimeContext,
    TracerRegistry, selector_fn,
};

fn full() -> TracerRegistry<usize> {
    let registry = TracerRegistry::new();
    for number in 0..MAX_TRACERS {
        registry.register(name(number), number).unwrap();
    }
    registry
}

fn name(number: usize) -> String {
    format!("tenant-{number:05}")
}

#[test]
fn tracer_beyond_the_maximum_number_is_refused_by_name() {
    let registry = full();
    registry.set_selectors(Chain::from(selector_fn("last", |_, tracers| {
        tracers.choose(&name(MAX_TRACERS - 1))
    })));
    for _ in 0..3 {
        let error = registry.register_default("one-more", 0).unwrap_err();
        let expected = RegisterError::TooMany {
            name: "one-more".to_owned(),
            limit: MAX_TRACERS,
        };
        assert_eq!(error, expected);
        let message = error.to_string();
        for part in ["\"one-more\"", "6000", "MAX_TRACERS", "unregister"] {
            assert!(message.contains(part), "{message}");
        }
    }
    // A name that is taken is reported as that.
    let taken = registry.register(name(7), 0).unwrap_err();
    assert!(matches!(taken, RegisterError::Duplicate { .. }), "{taken}");

    assert_eq!(registry.names().len(), MAX_TRACERS);
    assert_eq!(registry.default_tracer().unwrap().0, name(0));
    let selection = registry.select(&RuntimeContext::empty().view());
    assert_eq!(selection.tracer_name(), Some(&*name(MAX_TRACERS - 1)));
    drop(selection);
    assert!(registry.unregister(&name(0)));
    registry.register("one-more", 0).unwrap();
}

#[test]
fn tracer_beyond_the_maximum_size_of_names_is_refused_by_name() {
    let registry = TracerRegistry::new();
    let long = |number: usize| format!("{number:0width$}", width = MAX_NAME_BYTES);
    let fits = MAX_TRACER_BYTES / MAX_NAME_BYTES;
    for number in 0..fits {
        registry.register(long(number), ()).unwrap();
    }
    let error = registry.register("x", ()).unwrap_err();
    let expected = RegisterError::TooManyBytes {
        name: "x".to_owned(),
        bytes: MAX_TRACER_BYTES + 1,
        limit: MAX_TRACER_BYTES,
    };
    assert_eq!(error, expected);
    let message = error.to_string();
    for part in ["\"x\"", "524289", "524288", "MAX_TRACER_BYTES"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(registry.names().len(), fits);
    assert!(registry.unregister(&long(0)));
    registry.register("x", ()).unwrap();
}

#[test]
fn provider_with_too_many_tracers_names_the_refused_one() {
    let tracer = Arc::new(OtelTracer::new(SdkTracerProvider::default()));
    let provider = RoutingTracerProvider::builder()
        .tracer("kept", SdkTracerProvider::default())
        .build()
        .unwrap();
    for number in 1..MAX_TRACERS {
        provider
            .registry()
            .register(name(number), tracer.clone())
            .unwrap();
    }
    let refused = provider.registry().register("refused", tracer).unwrap_err();
    assert!(refused.to_string().contains("\"refused\""), "{refused}");

    let mut builder = RoutingTracerProvider::builder();
    for number in 0..=MAX_TRACERS {
        builder = builder.tracer(name(number), SdkTracerProvider::default());
    }
    let message = builder.build().unwrap_err().to_string();
    assert!(message.contains(&name(MAX_TRACERS)), "{message}");
    assert!(message.contains("MAX_TRACERS"), "{message}");
}

/// A change at the limit copies pointers and no names, for any number of tracers.
#[test]
fn registration_and_look_up_cost_the_same_with_many_tracers() {
    let registry = full();
    assert!(registry.unregister(&name(MAX_TRACERS - 1)));
    let one_more = name(MAX_TRACERS - 1);
    let number = MAX_TRACERS - 1;
    let register = measure(|| registry.register(one_more, number).unwrap());
    // 94 chunks, 64 parts of the index and one of each copied: far less than 6,000 names.
    assert!(register.count_total < 30, "{register:?}");
    assert!(register.bytes_total < 16 << 10, "{register:?}");

    let wanted = name(MAX_TRACERS - 1);
    let look_up = measure(|| {
        let found = registry.get(&wanted);
        assert_eq!(found.as_deref(), Some(&number));
        assert!(registry.contains(&wanted) && !registry.contains("unknown"));
    });
    assert_eq!(look_up.count_total, 0);
}

/// Every kept selection holds a state of its own, and the states share their memory.
#[test]
fn kept_selections_share_the_memory_of_their_states() {
    let registry = TracerRegistry::new();
    registry.register("first", 0).unwrap();
    let context = RuntimeContext::empty();
    let mut kept = Vec::new();
    let held = measure(|| {
        for number in 0..3_000 {
            registry.register(name(number), number).unwrap();
            kept.push(registry.select(&context.view()));
        }
    });
    let each = held.bytes_current / 3_000;
    assert!(each < 6 << 10, "{each} bytes each");
    assert!(kept.iter().all(|one| one.tracer_name() == Some("first")));
    drop(kept);
    assert_eq!(registry.counts().total(), 3_000, "each is counted once");
}

/// Nothing but a kept selection keeps a tracer that left the registry.
#[test]
fn tracer_that_left_is_dropped_with_the_last_selection_before() {
    let registry = TracerRegistry::<usize>::new();
    let tracers: Vec<Arc<usize>> = (0..200).map(Arc::new).collect();
    for tracer in &tracers {
        registry.register(name(**tracer), tracer.clone()).unwrap();
    }
    let alive = |number: usize| Arc::strong_count(&tracers[number]) > 1;
    let selection = registry.select(&RuntimeContext::empty().view());
    assert!(registry.unregister(&name(0)));
    assert!(alive(0), "the selection names it");
    // A later state holds no tracer that left before.
    let later = registry.select(&RuntimeContext::empty().view());
    drop(selection);
    assert!(!alive(0) && alive(1));
    drop(later);
    for tracer in &tracers[1..] {
        assert!(registry.unregister(&name(**tracer)));
        assert!(!alive(**tracer));
    }
}
