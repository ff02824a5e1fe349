//! Shortens a span that is too large for its backend.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::{MARK, level, text};
use crate::redaction::CUT;

/// The bytes of the attribute that marks a shortened span, and of growing length fields.
const MARKED: usize = 64;

/// The maximum number of rounds. A round may remove less than it has to, because a text cannot
/// be cut everywhere.
const ROUNDS: usize = 3;

/// Shortens the largest values of a span until it has at most `most` bytes, and drops its last
/// events, links and attributes if that is not enough. Marks it with the number of shortened
/// values. Returns `false` if the span is still larger.
pub(crate) fn span(span: &mut Span, most: usize) -> bool {
    let room = most.saturating_sub(MARKED);
    let mut cut = 0;
    for _ in 0..ROUNDS {
        let excess = span.encoded_len().saturating_sub(room);
        if excess == 0 {
            break;
        }
        cut = cut.max(cut_texts(span, excess));
    }
    drop_items(span, room);
    mark(span, cut);
    span.encoded_len() <= most
}

/// Returns the number of texts that became shorter.
fn cut_texts(span: &mut Span, excess: usize) -> i64 {
    let mut lengths = Vec::new();
    each_text(span, &mut |text| lengths.push(text.len()));
    let level = level(lengths, excess);
    let mut cut = 0;
    each_text(span, &mut |long| {
        if long.len() > level {
            *long = text(long, level.saturating_sub(MARK));
            cut += 1;
        }
    });
    cut
}

fn each_text(span: &mut Span, visit: &mut impl FnMut(&mut String)) {
    visit(&mut span.name);
    if let Some(status) = &mut span.status {
        visit(&mut status.message);
    }
    of_attributes(&mut span.attributes, visit);
    for event in &mut span.events {
        visit(&mut event.name);
        of_attributes(&mut event.attributes, visit);
    }
    for link in &mut span.links {
        of_attributes(&mut link.attributes, visit);
    }
}

fn of_attributes(attributes: &mut [KeyValue], visit: &mut impl FnMut(&mut String)) {
    for value in attributes.iter_mut().filter_map(|of| of.value.as_mut()) {
        of_value(value, visit);
    }
}

fn of_value(value: &mut AnyValue, visit: &mut impl FnMut(&mut String)) {
    match &mut value.value {
        Some(Value::StringValue(text)) => visit(text),
        Some(Value::ArrayValue(array)) => {
            array.values.iter_mut().for_each(|it| of_value(it, visit));
        }
        Some(Value::KvlistValue(list)) => of_attributes(&mut list.values, visit),
        _ => {}
    }
}

fn drop_items(span: &mut Span, room: usize) {
    let mut length = span.encoded_len();
    drop_last(
        &mut span.events,
        &mut span.dropped_events_count,
        &mut length,
        room,
    );
    drop_last(
        &mut span.links,
        &mut span.dropped_links_count,
        &mut length,
        room,
    );
    drop_last(
        &mut span.attributes,
        &mut span.dropped_attributes_count,
        &mut length,
        room,
    );
}

/// Drops the last items while the span has more than `room` bytes.
fn drop_last<T: Message>(items: &mut Vec<T>, dropped: &mut u32, length: &mut usize, room: usize) {
    while *length > room
        && let Some(item) = items.pop()
    {
        *length = length.saturating_sub(item.encoded_len());
        *dropped = dropped.saturating_add(1);
    }
}

/// Adds to the number of shortened values of the span.
fn mark(span: &mut Span, cut: i64) {
    if cut == 0 {
        return;
    }
    let value = |cut| {
        Some(AnyValue {
            value: Some(Value::IntValue(cut)),
        })
    };
    let known = span.attributes.iter_mut().find(|of| of.key == CUT);
    match known {
        Some(known) => {
            let before = known.value.as_ref().and_then(|of| match of.value {
                Some(Value::IntValue(cut)) => Some(cut),
                _ => None,
            });
            known.value = value(cut.saturating_add(before.unwrap_or(0)));
        }
        None => span.attributes.push(KeyValue {
            key: CUT.to_owned(),
            value: value(cut),
            ..KeyValue::default()
        }),
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::trace::v1::span::Event;

    use super::*;

    fn attribute(key: &str, text: &str) -> KeyValue {
        KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue {
                value: Some(Value::StringValue(text.to_owned())),
            }),
            ..KeyValue::default()
        }
    }

    #[test]
    fn largest_values_are_shortened_first() {
        let long = "x".repeat(100_000);
        let mut large = Span {
            name: "answer".to_owned(),
            attributes: vec![attribute("a", &long), attribute("b", &"y".repeat(1_000))],
            ..Span::default()
        };
        let small = large.attributes[1].clone();
        assert!(span(&mut large, 10_000));
        assert!(large.encoded_len() > 9_500, "{}", large.encoded_len());
        assert_eq!(large.attributes[1], small);
        assert_eq!(large.attributes[2].key, CUT);
        assert_eq!(large.name, "answer");
    }

    #[test]
    fn span_of_any_shape_fits_or_is_reported() {
        let texts = |count: usize, length: usize| -> Vec<KeyValue> {
            (0..count)
                .map(|number| attribute(&format!("key {number}"), &"z".repeat(length)))
                .collect()
        };
        let events = |count| {
            vec![
                Event {
                    attributes: texts(4, 50),
                    ..Event::default()
                };
                count
            ]
        };
        for most in [200, 1_000, 60_000] {
            for (attributes, events) in [
                (texts(3_000, 20), events(0)),
                (texts(1, 20), events(3_000)),
                (texts(3, 100_000), events(100)),
            ] {
                let mut large = Span {
                    attributes,
                    events,
                    ..Span::default()
                };
                assert!(span(&mut large, most));
                assert!(large.encoded_len() <= most);
            }
        }
        let mut id = Span {
            trace_id: vec![1; 100],
            ..Span::default()
        };
        assert!(!span(&mut id, 90));
    }
}
