//! Tests for a complete exporter with a disk buffer during an outage and a restart.

use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use parking_lot::{Condvar, Mutex};

use super::tests::{Backend, temporary};
use super::{DiskBuffer, DiskBufferStore};
use crate::delivery::{
    BatchConfig, Loss, Meter, Names, Parts, Pipeline, Queued, Sent, SizeLimits, Splitter, Target,
    Terms, Transport, after,
};

fn parts(transport: Arc<dyn Transport>) -> Parts {
    let encode = |batch| {
        let resource = ResourceAttributesWithSchema::default();
        let resource_spans = group_spans_by_resource_and_scope(batch, &resource);
        ExportTraceServiceRequest { resource_spans }
    };
    Parts {
        place: "otlp at test".to_owned(),
        encode: Box::new(encode),
        transport,
        splitter: Splitter::new(SizeLimits::default()),
    }
}

fn pipeline(transport: Arc<dyn Transport>, disk_buffer: &DiskBuffer) -> Queued {
    let meter = Arc::new(Meter::default());
    let store = DiskBufferStore::open(disk_buffer, meter.clone()).unwrap();
    let target = Target::Buffered(Box::new((parts(transport), store)));
    let batch = BatchConfig::new()
        .max_queue_size(100)
        .max_export_batch_size(10)
        .scheduled_delay(Duration::from_millis(5));
    let names = Names {
        service: "shop".to_owned(),
        exporter: "otlp".to_owned(),
    };
    Queued::start(target, Default::default(), &batch, meter, names).unwrap()
}

/// A backend that answers nothing until it is shut down.
#[derive(Debug, Default)]
struct Hanging(Mutex<bool>, Condvar);

impl Transport for Hanging {
    fn send(&self, _request: &ExportTraceServiceRequest, _terms: &Terms<'_>) -> Sent {
        let mut over = self.0.lock();
        while !*over {
            self.1.wait(&mut over);
        }
        Sent::default()
    }

    fn shutdown(&self) {
        *self.0.lock() = true;
        self.1.notify_all();
    }
}

#[test]
fn queue_is_emptied_and_shutdown_keeps_all_spans_when_the_backend_hangs() {
    let (_dir, disk_buffer) = temporary();
    let disk_buffer = disk_buffer.max_bytes(1 << 20);
    let transport = Arc::new(Hanging::default());
    let exporter = pipeline(transport.clone(), &disk_buffer);
    // Many times the size of the queue, as fast as the disk takes them.
    for round in 0..50 {
        end(&exporter, 40);
        while exporter.counts().waiting > 60 {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(exporter.counts().lost(), 0, "{round}");
    }
    let deadline = after(Duration::from_millis(200));
    exporter.close(deadline);
    assert!(exporter.wait_for_close(deadline));
    let counts = exporter.counts();
    assert_eq!((counts.ended, counts.buffered), (2_000, 2_000));
    assert_eq!((counts.lost(), counts.waiting), (0, 0));
    // The thread with the running request ends too.
    let start = Instant::now();
    while Arc::strong_count(&transport) > 1 {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(1));
    }
    // The directory is free at once, although the request may still run.
    let backend = Backend::new();
    let next = pipeline(Arc::new(backend.clone()), &disk_buffer);
    assert_eq!(next.counts().recovered, 2_000);
    next.close(after(Duration::from_secs(60)));
    assert!(next.wait_for_close(after(Duration::from_secs(60))));
    assert_eq!(next.counts().delivered, 2_000);
}

#[test]
fn flush_waits_for_the_running_request_when_later_spans_are_on_disk() {
    let (_dir, disk_buffer) = temporary();
    let disk_buffer = disk_buffer.max_bytes(1 << 20);
    let exporter = pipeline(Arc::new(Hanging::default()), &disk_buffer);
    end(&exporter, 10);
    exporter.flush();
    assert!(!exporter.wait_for_flush(after(Duration::from_millis(20))));
    // More than half of the queue, so that a later batch goes to disk.
    end(&exporter, 60);
    while exporter.counts().buffered < 10 {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(!exporter.wait_for_flush(Instant::now()));
    exporter.close(Instant::now());
    assert!(exporter.wait_for_close(Instant::now()));
    assert_eq!(
        (exporter.counts().buffered, exporter.counts().lost()),
        (70, 0)
    );
}

#[test]
fn shutdown_without_time_keeps_all_spans() {
    for backend_hangs in [true, false] {
        let (_dir, disk_buffer) = temporary();
        let disk_buffer = disk_buffer.max_bytes(1 << 20);
        let exporter = if backend_hangs {
            pipeline(Arc::new(Hanging::default()), &disk_buffer)
        } else {
            let backend = Backend::new();
            backend.refuses(Loss::Unreachable);
            pipeline(Arc::new(backend), &disk_buffer)
        };
        end(&exporter, 100);
        exporter.close(Instant::now());
        assert!(exporter.wait_for_close(Instant::now()));
        let counts = exporter.counts();
        assert_eq!((counts.buffered, counts.lost()), (100, 0));
    }
}

fn end(pipeline: &Queued, spans: usize) {
    for number in 0..spans {
        pipeline.end(crate::delivery::tests::span(&format!("span {number}")));
    }
}

#[test]
fn exporter_delivers_all_spans_after_outage_and_restart() {
    let far = || after(Duration::from_secs(60));
    let (_dir, disk_buffer) = temporary();
    let disk_buffer = disk_buffer.max_bytes(1 << 20);
    let backend = Backend::new();
    let before = pipeline(Arc::new(backend.clone()), &disk_buffer);
    end(&before, 25);
    before.flush();
    assert!(before.wait_for_flush(far()));
    backend.refuses(Loss::Unreachable);
    for _ in 0..5 {
        end(&before, 100);
        before.flush();
        assert!(before.wait_for_flush(far()));
    }
    // The process ends while the backend is down.
    before.close(far());
    assert!(before.wait_for_close(far()));
    let counts = before.counts();
    assert_eq!((counts.ended, counts.delivered), (525, 25));
    assert_eq!((counts.buffered, counts.lost()), (500, 0));
    drop(before);

    let after = pipeline(Arc::new(backend.clone()), &disk_buffer);
    end(&after, 25);
    after.flush();
    assert!(after.wait_for_flush(far()));
    backend.refuses(None);
    // No span ends here. The exporter must retry anyway.
    let start = Instant::now();
    while after.counts().buffered > 0 {
        let now = after.counts();
        let known = now.delivered + now.lost() + now.waiting + now.buffered;
        assert_eq!(now.ended + now.recovered, known, "{now:?}");
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(1));
    }
    let counts = after.counts();
    assert_eq!((counts.ended, counts.recovered), (25, 500));
    assert_eq!((counts.delivered, counts.replayed), (525, 525));
    assert_eq!((counts.lost(), counts.waiting), (0, 0));
    assert_eq!(backend.took().len(), 550);
}
