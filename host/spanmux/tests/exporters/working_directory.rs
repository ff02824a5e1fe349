//! Relative paths are those of the working directory in which an exporter was built.

use std::fs;
use std::path::Path;

use spanmux::delivery::DiskBuffer;
use spanmux::exporters::{Exporter, OtlpExporter};
use spanmux::otel::TracerConfig;

use crate::process::alone;
use crate::support::end_spans;

fn files_in(directory: &Path) -> usize {
    fs::read_dir(directory).map_or(0, Iterator::count)
}

fn exporters_write_where_they_were_built() {
    let home = tempfile::tempdir().unwrap();
    let (built, other) = (home.path().join("built"), home.path().join("other"));
    fs::create_dir(&built).unwrap();
    fs::create_dir(&other).unwrap();
    std::env::set_current_dir(&built).unwrap();
    let unreachable = OtlpExporter::http("http://127.0.0.1:9");
    let buffered = Exporter::otlp(unreachable).disk_buffer(DiskBuffer::new("buffer"));
    let tracer = TracerConfig::new()
        .exporter(Exporter::file("traces.jsonl"))
        .exporter(buffered)
        .build()
        .unwrap();

    std::env::set_current_dir(&other).unwrap();
    end_spans(&tracer, 10);
    let _ = tracer.shutdown();

    let lines = fs::read_to_string(built.join("traces.jsonl")).unwrap();
    assert!(lines.lines().count() > 0);
    assert!(files_in(&built.join("buffer")) > 0);
    assert_eq!(files_in(&other), 0);
    std::env::set_current_dir("/").unwrap();
}

#[test]
fn relative_paths_are_resolved_when_an_exporter_is_built() {
    let name = "working_directory::relative_paths_are_resolved_when_an_exporter_is_built";
    alone(name, &[], exporters_write_where_they_were_built);
}
