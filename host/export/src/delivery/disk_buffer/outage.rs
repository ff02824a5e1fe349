//! Tests for a complete exporter with a disk buffer during an outage and a restart.

use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::trace::SpanData;

use super::tests::{Backend, temporary};
use super::{BufferedTransport, DiskBuffer, DiskBufferStore};
use crate::delivery::{
    BatchConfig, Loss, Meter, Names, Pipeline, Queued, Sent, Sink, Transport, after,
};

/// A sink over a transport with a disk buffer, like the OTLP exporters.
#[derive(Debug)]
struct Over(BufferedTransport);

impl Sink for Over {
    fn send(&self, batch: Vec<SpanData>) -> Sent {
        let resource = ResourceAttributesWithSchema::default();
        let resource_spans = group_spans_by_resource_and_scope(batch, &resource);
        self.0.send(&ExportTraceServiceRequest { resource_spans })
    }

    fn idle(&self) -> bool {
        self.0.idle()
    }

    fn keep(&mut self, store: DiskBufferStore) -> bool {
        self.0.keep_in(store);
        true
    }

    fn shutdown(&self) {
        self.0.shutdown();
    }
}

fn pipeline(backend: &Backend, disk_buffer: &DiskBuffer) -> Queued {
    let meter = Arc::new(Meter::default());
    let mut sink = Over(BufferedTransport::new(Box::new(backend.clone())));
    assert!(sink.keep(DiskBufferStore::open(disk_buffer, meter.clone()).unwrap()));
    let batch = BatchConfig::new()
        .max_export_batch_size(10)
        .scheduled_delay(Duration::from_millis(5));
    let names = Names {
        service: "shop".to_owned(),
        exporter: "otlp".to_owned(),
    };
    Queued::start(Box::new(sink), Default::default(), &batch, meter, names).unwrap()
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
    let backend = Backend::new();
    let before = pipeline(&backend, &disk_buffer);
    end(&before, 25);
    before.flush();
    assert!(before.wait_for_flush(far()));
    backend.refuses(Loss::Unreachable);
    end(&before, 500);
    before.flush();
    assert!(before.wait_for_flush(far()));
    // The process ends while the backend is down.
    before.close(far());
    assert!(before.wait_for_close(far()));
    let counts = before.counts();
    assert_eq!((counts.ended, counts.delivered), (525, 25));
    assert_eq!((counts.buffered, counts.lost()), (500, 0));
    drop(before);

    let after = pipeline(&backend, &disk_buffer);
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
