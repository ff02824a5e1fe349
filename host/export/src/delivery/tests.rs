//! Tests for counting the outcome of a batch.

use std::time::SystemTime;

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::trace::SpanData;

use super::*;

/// A sampled span that has ended.
pub(crate) fn span(name: &str) -> SpanData {
    SpanData {
        span_context: SpanContext::new(
            TraceId::from(1),
            SpanId::from(1),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        ),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: name.to_owned().into(),
        start_time: SystemTime::UNIX_EPOCH,
        end_time: SystemTime::UNIX_EPOCH,
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: Default::default(),
        links: Default::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

#[test]
fn sent_counts_each_span_once_for_any_report() {
    let says = |delivered, buffered, lost: &[(Loss, u64)]| Sent {
        delivered,
        buffered,
        lost: lost.to_vec(),
        ..Sent::default()
    };
    for (sent, delivered, rejected, failed) in [
        (says(10, 0, &[]), 10, 0, 0),
        (says(7, 0, &[(Loss::Rejected, 3)]), 7, 3, 0),
        // The sink reports fewer spans than the batch has.
        (says(5, 0, &[(Loss::Rejected, 3)]), 5, 3, 2),
        (says(0, 0, &[]), 0, 0, 10),
        // The sink reports more spans than the batch has.
        (says(11, 0, &[]), 10, 0, 0),
        (says(0, 0, &[(Loss::Rejected, u64::MAX)]), 0, 10, 0),
        (says(10, 0, &[(Loss::Rejected, 4)]), 6, 4, 0),
        (
            says(0, 0, &[(Loss::Rejected, 6), (Loss::Failed, 6)]),
            0,
            6,
            4,
        ),
        (says(0, 10, &[]), 0, 0, 0),
        (says(0, 4, &[]), 0, 0, 6),
        (says(9, 99, &[]), 0, 0, 0),
    ] {
        let mut counts = DeliveryCounts::default();
        sent.count(10, &mut counts);
        assert_eq!(counts.delivered, delivered, "{sent:?}");
        assert_eq!(counts.lost_to(Loss::Rejected), rejected, "{sent:?}");
        assert_eq!(counts.lost_to(Loss::Failed), failed, "{sent:?}");
    }
}
