//! Code of the application that the library calls may use the library: it never runs while a lock is
//! held. Each test is one place that runs such code.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak, mpsc};
use std::time::Duration;

use spanmux::{
    Chain, Choice, ContextView, Lifecycle, RootSpan, RuntimeContext, Selector, SelectorsDirectory,
    TracerNames, TracerRegistry, WatchSettings, selector_fn,
};
use spanmux_tests::{guest, host};

/// Runs on a thread and fails if it does not return.
fn returns(what: &str, run: impl FnOnce() + Send + 'static) {
    let (done, returned) = mpsc::channel();
    std::thread::spawn(move || {
        run();
        let _ = done.send(());
    });
    let returned = returned.recv_timeout(Duration::from_secs(60));
    assert_eq!(returned, Ok(()), "{what} did not return");
}

type Registry = TracerRegistry<Tracer>;

/// A reference to the registry, and the number of times that it was used.
#[derive(Clone, Default)]
struct Reentry {
    registry: Arc<OnceLock<Weak<Registry>>>,
    uses: Arc<AtomicUsize>,
}

impl Reentry {
    /// Reads and changes the registry.
    fn use_registry(&self) {
        let Some(registry) = self.registry.get().and_then(Weak::upgrade) else {
            return;
        };
        let number = self.uses.fetch_add(1, Ordering::SeqCst);
        registry.counts();
        let name = format!("by-reentry-{number}");
        // May be refused when this runs inside a change of the same name.
        let _ = registry.register(name.as_str(), Tracer::default());
        registry.get(&name);
        registry.unregister(&name);
        drop(registry.selectors());
    }

    fn uses(&self) -> usize {
        self.uses.load(Ordering::SeqCst)
    }
}

/// A tracer whose every operation, `Drop` included, uses the registry.
#[derive(Default)]
struct Tracer(Option<Reentry>);

impl Tracer {
    fn use_registry(&self) {
        self.0.iter().for_each(Reentry::use_registry);
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        self.use_registry();
    }
}

impl Lifecycle for Tracer {
    fn force_flush(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.use_registry();
        Ok(())
    }

    fn shutdown(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.use_registry();
        Ok(())
    }
}

/// A selector whose every operation, `Drop` included, uses the registry.
struct Noisy(Reentry);

impl Selector for Noisy {
    fn name(&self) -> &str {
        self.0.use_registry();
        "noisy"
    }

    fn digest(&self) -> Option<&str> {
        self.0.use_registry();
        None
    }

    fn decide(&self, _: &ContextView<'_>, _: &TracerNames) -> Choice {
        self.0.use_registry();
        Choice::Abstain
    }
}

impl Drop for Noisy {
    fn drop(&mut self) {
        self.0.use_registry();
    }
}

fn registry() -> (Arc<Registry>, Reentry) {
    let (registry, reentry) = (Arc::new(Registry::new()), Reentry::default());
    registry.register("first", Tracer::default()).unwrap();
    reentry.registry.set(Arc::downgrade(&registry)).unwrap();
    (registry, reentry)
}

#[test]
fn drop_of_a_refused_tracer_may_use_the_registry() {
    let (registry, reentry) = registry();
    let uses = reentry.clone();
    returns("register", move || {
        for name in ["first", "", &"x".repeat(300)] {
            let tracer = Tracer(Some(reentry.clone()));
            registry.register(name, tracer).unwrap_err();
        }
    });
    assert_eq!(uses.uses(), 3);
}

#[test]
fn drop_of_a_removed_tracer_may_use_the_registry() {
    let (registry, reentry) = registry();
    let uses = reentry.clone();
    returns("removal", move || {
        let noisy = || Tracer(Some(reentry.clone()));
        registry.register("second", noisy()).unwrap();
        assert!(registry.unregister("second"));
        registry.register("third", noisy()).unwrap();
        registry.clear();
        registry.register("fourth", noisy()).unwrap();
        drop(registry.shutdown());
    });
    // Two removals, and the shutdown with the drop after it.
    assert_eq!(uses.uses(), 4);
}

#[test]
fn flush_may_use_the_registry() {
    let (registry, reentry) = registry();
    let uses = reentry.clone();
    returns("flush", move || {
        let noisy = Tracer(Some(reentry));
        registry.register("second", noisy).unwrap();
        assert!(registry.force_flush().failed.is_empty());
        drop(registry.shutdown());
    });
    assert!(uses.uses() >= 2);
}

#[test]
fn every_operation_of_a_selector_may_use_the_registry() {
    let (registry, reentry) = registry();
    let uses = reentry.clone();
    returns("selector", move || {
        registry.set_selectors(Chain::from(Noisy(reentry)));
        let selection = registry.select(&RuntimeContext::empty().view());
        assert_eq!(selection.tracer_name(), Some("first"));
        assert_eq!(selection.selector_name(), None);
        for selector in registry.selectors().selectors() {
            selector.digest();
        }
        assert!(format!("{registry:?}").contains("noisy"));
        assert_eq!(registry.counts().total(), 1);
        drop(selection);
        registry.set_selectors(Chain::empty());
    });
    assert!(uses.uses() >= 4, "{}", uses.uses());
}

#[test]
fn attributes_of_a_root_span_may_use_the_registry() {
    let (registry, reentry) = registry();
    let uses = reentry.clone();
    returns("attributes", move || {
        let selector = host().load("by-environment", &guest("by-environment"));
        registry.set_selectors(Chain::from(selector.unwrap()));
        let attributes = || {
            reentry.use_registry();
            RuntimeContext::empty()
        };
        let span = RootSpan::new("POST /", "server", &attributes);
        registry.select(&RuntimeContext::empty().view_with_span(&span));
    });
    assert_eq!(uses.uses(), 1);
}

/// A subscriber that uses the registry at every event.
struct Subscriber(Reentry);

impl tracing::Subscriber for Subscriber {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.use_registry();
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn subscriber_of_events_may_use_the_registry() {
    let (registry, reentry) = registry();
    let uses = reentry.clone();
    // With one dispatcher, the interest of another test's thread might be cached.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    returns("events", move || {
        tracing::subscriber::with_default(Subscriber(reentry), || {
            registry.register("second", Tracer::default()).unwrap();
            registry.set_fallback(Some("second")).unwrap();
            // Logs that the fallback tracer is gone.
            assert!(registry.unregister("second"));
            let fails = selector_fn("fails", |_, _| Choice::failed("on purpose"));
            registry.set_selectors(Chain::from(fails));
            // Logs the failure.
            registry.select(&RuntimeContext::empty().view());
        });
    });
    assert_eq!(uses.uses(), 2);
}

#[test]
fn condition_of_a_watched_directory_may_read_its_status() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("10-one.wasm"), guest("console")).unwrap();
    let settings = WatchSettings::default().rescan_interval(Duration::from_millis(20));
    returns("wait_until", move || {
        let watched = SelectorsDirectory::new(folder.path(), host())
            .watch_with(settings, |_| {})
            .unwrap();
        let found = watched.wait_until(Duration::from_secs(600), |status| {
            watched.status().looks >= status.looks && status.looks > 1
        });
        assert!(found.is_some());
    });
}
