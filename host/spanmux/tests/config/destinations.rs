//! Exporters with names, and their uses in tracers.

use spanmux::config::Config;

use crate::support::Folder;

const EXPORTERS: &str = "service = 'shop'
[exporters.acme-langfuse]
type = 'langfuse'
public_key = 'pk'
secret_key = '${SECRET}'
[exporters.datadog]
type = 'datadog-agent'
";

#[track_caller]
fn mistakes(text: &str, expected: &[&str]) {
    let folder = Folder::new();
    let said = folder.read("spanmux.toml", text).expect_err(text);
    assert_eq!(folder.shown(said), expected.join("\n"), "{text}");
}

fn warnings(config: &Config) -> Vec<String> {
    config
        .warnings()
        .iter()
        .map(|it| it.message.clone())
        .collect()
}

#[test]
fn tracers_use_exporters_by_name() {
    let folder = Folder::new();
    let text = format!(
        "{EXPORTERS}[tracers.acme]
        exporters = ['acme-langfuse', {{ use = 'datadog', content = false, sampling = 0.1 }}]
        [tracers.other]
        exporter = 'datadog'
        [tracers.inline]
        exporter = {{ type = 'console', name = 'terminal' }}"
    );
    let config = folder.read("spanmux.toml", &text).unwrap();
    assert_eq!(warnings(&config), [""; 0]);
    let shown: Vec<_> = config
        .tracers()
        .into_iter()
        .flat_map(|tracer| {
            tracer.exporters.into_iter().map(move |exporter| {
                let name = exporter.name.unwrap();
                let (kind, content, share) = (exporter.kind, exporter.content, exporter.share);
                format!("{} {name} {kind} {content} {share}", tracer.name)
            })
        })
        .collect();
    assert_eq!(
        shown,
        [
            "acme acme-langfuse langfuse true 1",
            "acme datadog datadog_agent false 0.1",
            "other datadog datadog_agent true 1",
            "inline terminal console true 1",
        ]
    );
}

#[test]
fn mistakes_in_uses_name_the_place_and_the_remedy() {
    mistakes(
        &format!("{EXPORTERS}[tracers.acme]\nexporters = ['acme-langfuze', {{ use = 'datadog' }}]"),
        &[
            "spanmux.toml:9:14: tracers.acme.exporters[0]: no exporter is named \"acme-langfuze\"; \
             did you mean \"acme-langfuse\"? Available: acme-langfuse, datadog",
        ],
    );
    mistakes(
        "service = 's'\n[tracers.acme]\nexporters = ['ours']",
        &[
            "spanmux.toml:3:14: tracers.acme.exporters[0]: no exporter is named \"ours\"; add a table \
             [exporters.ours], or write a table with the key `type`",
        ],
    );
    mistakes(
        &format!(
            "{EXPORTERS}[tracers.acme]\nexporters = ['datadog', {{ use = 'datadog', content = false }}]"
        ),
        &[
            "spanmux.toml:9:25: tracers.acme.exporters[1]: the tracer uses the exporter \"datadog\" \
             twice and would send every span twice; remove one",
        ],
    );
    mistakes(
        &format!(
            "{EXPORTERS}[tracers.acme]\nexporters = [{{ use = 'datadog', contnt = false, timeout = '3s' }}]"
        ),
        &[
            "spanmux.toml:9:33: tracers.acme.exporters[0].contnt: unknown key; did you mean \
             \"content\"? Available: content, filter, redaction, sampling; set other keys in \
             [exporters.datadog]",
            "spanmux.toml:9:49: tracers.acme.exporters[0].timeout: unknown key; available: content, \
             filter, redaction, sampling; set other keys in [exporters.datadog]",
        ],
    );
    mistakes(
        &format!(
            "{EXPORTERS}[tracers.acme]\nexporters = [{{ use = 7 }}, {{ use = 'datadog', sampling = 2 }}]"
        ),
        &[
            "spanmux.toml:9:22: tracers.acme.exporters[0].use: expected the name of an exporter, found \
             an integer",
            "spanmux.toml:9:57: tracers.acme.exporters[1].sampling: 2 is not between 0 and 1",
        ],
    );
}

#[test]
fn mistake_of_a_named_exporter_appears_once() {
    mistakes(
        "service = 's'\n[exporters.ours]\ntype = 'langfuze'\n\
         [tracers.a]\nexporter = 'ours'\n[tracers.b]\nexporters = ['ours']",
        &[
            "spanmux.toml:3:8: exporters.ours.type: unknown type \"langfuze\"; did you mean \
             \"langfuse\"? Available: console, file, discard, otlp, langfuse, datadog-agent, datadog, \
             phoenix, mlflow, braintrust, langsmith, arize, honeycomb, grafana-cloud",
        ],
    );
}

#[test]
fn tracers_do_not_share_a_file() {
    mistakes(
        "service = 's'\n[exporters.log]\ntype = 'file'\npath = 'a.jsonl'\n\
         [tracers.a]\nexporter = 'log'\n[tracers.b]\nexporters = ['log']",
        &[
            "spanmux.toml:8:14: tracers.b.exporters[0]: the tracer \"a\" already writes to the file of \
             \"log\"; give each tracer an exporter with a file of its own",
        ],
    );
}

#[test]
fn exporter_that_no_tracer_uses_is_a_warning() {
    let folder = Folder::new();
    let text = format!("{EXPORTERS}[tracers.acme]\nexporter = 'datadog'");
    let config = folder.read("spanmux.toml", &text).unwrap();
    let [warning] = config.warnings() else {
        panic!("{:?}", config.warnings());
    };
    assert_eq!(
        folder.shown(warning),
        "spanmux.toml:2:12: exporters.acme-langfuse: no tracer uses this exporter; add its name to \
         `exporters` of a tracer, or remove it"
    );
}

/// A disk buffer belongs to one tracer, so each gets a folder in the directory of the exporter.
#[test]
fn tracers_share_an_exporter_with_a_disk_buffer() {
    let folder = Folder::new();
    let text = "service = 's'
        [exporters.ours]
        type = 'otlp'
        endpoint = 'http://127.0.0.1:9'
        spill.directory = 'buffer'
        [tracers.a]
        exporter = 'ours'
        [tracers.'../b']
        exporters = ['ours']";
    let provider = folder.builder(text).build().unwrap();
    assert!(folder.path("buffer/a").is_dir());
    assert!(folder.path("buffer/%2E%2E%2Fb").is_dir());
    provider.shutdown().into_result().unwrap();
}
