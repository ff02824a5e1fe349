//! What a guest prints goes to the log: with the name of its selector, of a run alone,
//! and never more than there is room for.

use spanway::{Limits, Mode, Origin, Selector as _, TracerNames};
use spanway_tests::log::Log;
use spanway_tests::{TRACERS, decide, environment, guest, host_within, limits, zoo};
use tracing_subscriber::util::SubscriberInitExt as _;

/// The lines about printing that `work` leaves in the log of this thread.
fn printed(work: impl FnOnce()) -> Vec<String> {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone());
    let guard = subscriber.finish().set_default();
    work();
    drop(guard);
    let text = log.text();
    let about = text
        .lines()
        .filter(|line| line.contains("a selector printed"));
    about.map(str::to_owned).collect()
}

#[test]
fn what_a_run_prints_is_logged_with_its_selector_and_a_known_decision_prints_nothing() {
    let host = host_within(limits());
    let selector = host.load("50-talks", &guest("wasi")).unwrap();
    let context = environment("production");
    let fresh = selector.with_mode(Mode::Fresh);
    let lines = printed(|| {
        decide(&fresh, &context);
        decide(&fresh, &context);
    });
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("selector=\"50-talks\""), "{lines:?}");
    assert!(lines[0].contains("printed="), "{lines:?}");

    let names = TracerNames::new(TRACERS);
    let lines = printed(|| {
        let origins: Vec<_> = (0..3)
            .map(|_| selector.decide(&context.view(), &names).origin)
            .collect();
        assert!(matches!(
            origins[..],
            [Origin::Run(_), Origin::Learned, Origin::Learned]
        ));
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
}

#[test]
fn what_is_printed_without_end_is_cut_and_holds_up_nobody_but_its_own_decision() {
    let limits = Limits {
        printed_bytes: 100,
        ..limits()
    };
    let selector = host_within(limits)
        .load("60-shouts", &zoo("prints-forever"))
        .unwrap();
    let fresh = selector.with_mode(Mode::Fresh);
    let lines = printed(|| {
        decide(&fresh, &environment("production"));
    });
    assert_eq!(lines.len(), 1);
    // Nought bytes, which are shown as four characters each.
    let shown = lines[0]
        .matches("\\0")
        .count()
        .max(lines[0].matches("\\u{0}").count());
    assert_eq!(shown, 100, "{lines:?}");
}
