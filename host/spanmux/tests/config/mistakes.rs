//! Every mistake in a file, with its full message.

use spanmux::config::Config;

use crate::support::Folder;

/// The exporter types, as messages list them.
const KINDS: &str = "console, file, discard, otlp, langfuse, datadog-agent, datadog, phoenix, \
                     mlflow, braintrust, langsmith, arize, honeycomb, grafana-cloud";

/// Compares the messages for each file with the expected ones. `KINDS` expands to the types.
#[track_caller]
fn rows(file: &str, rows: &[(&str, &str, &[&str])]) {
    for (case, text, expected) in rows {
        let folder = Folder::new();
        let said = folder.read(file, text).expect_err(case);
        let expected = expected.join("\n").replace("KINDS", KINDS);
        assert_eq!(folder.shown(said), expected, "{case}");
    }
}

#[test]
fn unknown_key_suggests_nearest_valid_key() {
    rows(
        "spanmux.toml",
        &[
            (
                "an unknown key at the top",
                "servise = 'shop'\n[tracers.a]\nservice = 's'\nexporter.type = 'console'",
                &[
                    "spanmux.toml:1:1: servise: unknown key; did you mean \"service\"? \
                     Available: ai, context, default, exporters, fallback, honour_sdk_disabled, selectors, \
                     service, tracers",
                ],
            ),
            (
                "an unknown key without a similar valid key",
                "service = 's'\ncolour = 'red'\n[tracers.a]\nexporter.type = 'console'",
                &[
                    "spanmux.toml:2:1: colour: unknown key; available: ai, context, default, \
                     exporters, fallback, honour_sdk_disabled, selectors, service, tracers",
                ],
            ),
            (
                "an unknown key of an exporter whose required keys are missing",
                "service = 's'\n[tracers.a.exporter]\ntype = 'langfuse'\npublik_key = 'hush'",
                &[
                    "spanmux.toml:2:12: tracers.a.exporter: missing key \"public_key\": The \
                     public key of a project",
                    "spanmux.toml:2:12: tracers.a.exporter: missing key \"secret_key\": The \
                     secret key of the project",
                    "spanmux.toml:4:1: tracers.a.exporter.publik_key: unknown key; did you mean \
                     \"public_key\"? Available: ca_certificates, content, filter, gzip, headers, \
                     max_request_bytes, max_span_bytes, name, no_proxy, origin, proxy, redaction, \
                     sampling, spill, system_certificates, timeout, base_url, public_key, \
                     region, secret_key, type",
                ],
            ),
            (
                "a key for exporters with a backend",
                "service = 's'\n[tracers.a]\nexporter = { type = 'console', gzip = true }",
                &[
                    "spanmux.toml:3:32: tracers.a.exporter.gzip: an exporter of type \"console\" \
                     does not send to a backend; remove the key",
                ],
            ),
            (
                "a cloud region for a self-hosted server",
                "service = 's'\n[tracers.a.exporter]\ntype = 'langfuse'\npublic_key = 'p'\n\
                 secret_key = '${SECRET}'\nregion = 'us'\nbase_url = 'http://l:3000'",
                &[
                    "spanmux.toml:6:1: tracers.a.exporter.region: `region` and `base_url` \
                     exclude each other; remove one of them",
                ],
            ),
            (
                "a key with a dot in it",
                "service = 's'\n[tracers.\"eu.shop\"]\nexporter.typ = 'console'",
                &[
                    "spanmux.toml:3:1: tracers.\"eu.shop\".exporter: missing key \"type\"; \
                     available: KINDS",
                ],
            ),
        ],
    );
}

#[test]
fn wrong_value_lists_valid_values() {
    rows(
        "spanmux.toml",
        &[
            (
                "an unknown exporter",
                "service = 's'\n[tracers.a.exporter]\ntype = 'langfues'",
                &[
                    "spanmux.toml:3:8: tracers.a.exporter.type: unknown type \"langfues\"; did \
                     you mean \"langfuse\"? Available: KINDS",
                ],
            ),
            (
                "wrong types",
                "service = 7\n[tracers.a]\nexporter = 'console'\nresource = 1979-05-27",
                &[
                    "spanmux.toml:1:11: service: expected a string, found an integer",
                    "spanmux.toml:3:12: tracers.a.exporter: no exporter is named \"console\"; \
                     add a table [exporters.console], or write a table with the key `type`",
                    "spanmux.toml:4:12: tracers.a.resource: expected a table, found a date or \
                     time",
                ],
            ),
            (
                "samplings",
                "service = 's'\n\
                 [tracers.a]\nexporter.type = 'console'\nsampling = { ratio = 1.5 }\n\
                 [tracers.b]\nexporter.type = 'console'\nsampling = 'allways'\n\
                 [tracers.c]\nexporter.type = 'console'\nsampling = { rate = 1 }\n\
                 [tracers.d]\nexporter.type = 'console'\nsampling = 0.1\n\
                 [tracers.e]\nexporter.type = 'console'\nsampling = {}",
                &[
                    "spanmux.toml:4:22: tracers.a.sampling.ratio: 1.5 is not between 0 and 1",
                    "spanmux.toml:7:12: tracers.b.sampling: unknown value \"allways\"; did you \
                     mean \"always\"? Available: \"always\", \"never\", { ratio = … }, { custom = \
                     … }",
                    "spanmux.toml:10:14: tracers.c.sampling.rate: unknown key; did you mean \
                     \"ratio\"? Available: ratio, custom",
                    "spanmux.toml:13:12: tracers.d.sampling: expected one of \"always\", \
                     \"never\", { ratio = … }, { custom = … }; found a number",
                    "spanmux.toml:16:12: tracers.e.sampling: expected one of \"always\", \
                     \"never\", { ratio = … }, { custom = … }; found a table with 0 keys",
                ],
            ),
            (
                "a URL without a scheme",
                "service = 's'\n[tracers.a.exporter]\ntype = 'otlp'\nendpoint = 'localhost:4318'",
                &[
                    "spanmux.toml:4:12: tracers.a.exporter.endpoint: invalid address \
                     \"localhost:4318\"; include its scheme, for example \
                     \"https://localhost:4318\"",
                ],
            ),
            (
                "a URL with a password, which is not shown",
                "service = 's'\n[tracers.a.exporter]\ntype = 'otlp'\nendpoint = 'me:hush@host'",
                &[
                    "spanmux.toml:4:12: tracers.a.exporter.endpoint: invalid address \"host\"; \
                     include its scheme, for example \"https://host\"",
                ],
            ),
            (
                "a URL that cannot be requested",
                "service = 's'\n[tracers.a]\nexporters = [{ type = 'otlp', endpoint = \
                 'https://me:hush@host/x?key=hush' }]",
                &[
                    "spanmux.toml:3:14: tracers.a.exporters[0]: the endpoint \"https://***@host/x?***\" of exporter otlp contains credentials, \
                   which would be shown; send them in a header",
                ],
            ),
            (
                "limits and durations",
                "service = 's'\n[tracers.a]\nexporter.type = 'discard'\n[selectors.limits]\n\
                 fuel = 0\nmemory_bytes = -1\ntables = '4'\nwall_clock = '0s'\n\
                 admission_wait = '5'\nengines = 1.5",
                &[
                    "spanmux.toml:5:8: selectors.limits.fuel: 0 is too small; the minimum is 1",
                    "spanmux.toml:6:16: selectors.limits.memory_bytes: -1 is not between 1 and \
                     4294967296",
                    "spanmux.toml:7:10: selectors.limits.tables: expected an integer, found a \
                     string",
                    "spanmux.toml:8:14: selectors.limits.wall_clock: \"0s\" is zero; write a \
                     positive duration",
                    "spanmux.toml:9:18: selectors.limits.admission_wait: invalid duration \"5\"; \
                     write a number with its unit, for example \"100ms\", \"5s\" or \"1m 30s\"",
                    "spanmux.toml:10:11: selectors.limits.engines: expected an integer, found a \
                     number",
                ],
            ),
            (
                "a duration without a unit",
                "service = 's'\n[tracers.a]\nexporter.type = 'discard'\nbatch.every = 5",
                &[
                    "spanmux.toml:4:15: tracers.a.batch.every: expected a duration such as \
                     \"100ms\" or \"5s\", found an integer",
                ],
            ),
        ],
    );
}

#[test]
fn unresolved_name_lists_valid_names() {
    rows(
        "spanmux.toml",
        &[
            (
                "a default and a fallback that name no tracer",
                "service = 's'\ndefault = 'langfusе'\nfallback = 'quarantin'\n\
                 [tracers.langfuse]\nexporter.type = 'discard'\n\
                 [tracers.quarantine]\nexporter.type = 'discard'",
                &[
                    "spanmux.toml:2:11: default: no tracer is named \"langfusе\"; did you mean \
                     \"langfuse\"? Available: langfuse, quarantine",
                    "spanmux.toml:3:12: fallback: no tracer is named \"quarantin\"; did you mean \
                     \"quarantine\"? Available: langfuse, quarantine",
                ],
            ),
            (
                "two tracers with the same name",
                "service = 's'\n[tracers.a]\nexporter.type = 'console'\n\
                 [tracers.a]\nexporter.type = 'discard'",
                &["spanmux.toml:4:10: duplicate key \"a\"; remove or rename one"],
            ),
            (
                "two tracers whose names differ in case",
                "service = 's'\n[tracers.acme]\nexporter.type = 'console'\n\
                 [tracers.ACME]\nexporter.type = 'discard'",
                &[
                    "spanmux.toml:4:10: tracers.ACME: the tracer names \"acme\" and \"ACME\" differ only \
                   in case and are easily confused in selectors; rename one of them",
                ],
            ),
            (
                "a missing directory, and a duplicate name in the order",
                "service = 's'\n[tracers.a]\nexporter.type = 'discard'\n[selectors]\n\
                 directory = 'selektors'\norder = ['x', '*', 'x']\nmodes = { x = 'statefull' }",
                &[
                    "spanmux.toml:5:13: selectors.directory: the directory selektors does not \
                     exist; create it or correct the path",
                    "spanmux.toml:6:20: selectors.order[2]: listed twice in the order; remove one",
                    "spanmux.toml:7:15: selectors.modes.x: unknown value \"statefull\"; did you \
                     mean \"stateful\"? Available: \"cached\", \"fresh\", \"stateful\"",
                ],
            ),
        ],
    );
}

#[test]
fn missing_part_is_reported() {
    rows(
        "spanmux.toml",
        &[
            (
                "an empty file",
                " \n",
                &["spanmux.toml:1:1: the file is empty; `spanmux init` writes a starter file"],
            ),
            (
                "no tracer",
                "service = 's'",
                &["spanmux.toml:1:1: missing key \"tracers\": The tracers by name, at least one"],
            ),
            (
                "no tracer in the table",
                "service = 's'\n[tracers]",
                &["spanmux.toml:2:2: tracers: the table needs at least one entry"],
            ),
            (
                "no exporter, no service, and both exporter keys",
                "[tracers.a]\n[tracers.b]\nservice = 's'\nexporters = []\n\
                 [tracers.c]\nservice = 's'\nexporter.type = 'discard'\nexporters = [{ type = 'console' }]",
                &[
                    "spanmux.toml:1:10: tracers.a: missing service name; set `service` here or \
                     at the top of the file",
                    "spanmux.toml:1:10: tracers.a: no exporter; write `exporter` with a `type`, \
                     which is \"discard\" if its spans shall go nowhere",
                    "spanmux.toml:4:1: tracers.b.exporters: no exporter; write `exporter` with a \
                     `type`, which is \"discard\" if its spans shall go nowhere",
                    "spanmux.toml:8:1: tracers.c.exporters: `exporter` is set as well; write all \
                     of them in `exporters`",
                ],
            ),
            (
                "a provided tracer with another key",
                "[tracers.own]\ntype = 'provided'\nsampling = 'never'",
                &[
                    "spanmux.toml:3:1: tracers.own.sampling: code configures this provided \
                   tracer; remove this key, or `type`",
                ],
            ),
            (
                "a certificate file",
                "service = 's'\n[tracers.a.exporter]\ntype = 'otlp'\nendpoint = 'https://c'\n\
                 ca_certificates = '${SECRET}.pem'",
                &[
                    "spanmux.toml:5:19: tracers.a.exporter.ca_certificates: failed to read the \
                     file ${SECRET}.pem; name a readable PEM file",
                ],
            ),
            (
                "environment variables",
                "service = '${SERVICE}'\ndefault = '${'\nfallback = '${a b}'\n\
                 [tracers.a.exporter]\ntype = '${NOPE:-console}'",
                &[
                    "spanmux.toml:1:11: service: environment variable `SERVICE` is not set or is \
                     not UTF-8 text; set it or provide a default with `${SERVICE:-DEFAULT}`",
                    "spanmux.toml:2:11: default: `${` is not closed; write `${NAME}` for an \
                     environment variable, or `$${` for a literal `${`",
                    "spanmux.toml:3:12: fallback: invalid environment variable name \"a b\"; use \
                     letters, digits and underscores, `${NAME:-DEFAULT}` for a default, or write \
                     `$${` for a literal `${`",
                ],
            ),
        ],
    );
    let error = Config::from_file("nowhere/spanmux.toml").unwrap_err();
    assert_eq!(
        error.to_string(),
        "failed to read the configuration nowhere/spanmux.toml; correct the path, or write one \
         with `spanmux init`"
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("No such file"), "{cause}");
}

#[test]
fn invalid_toml_reports_position() {
    rows(
        "spanmux.toml",
        &[(
            "errors on two lines",
            "service = \n[tracers.a\nx = 1",
            &[
                "spanmux.toml:1:11: invalid TOML: string values must be quoted, expected literal \
                 string",
                "spanmux.toml:2:11: invalid TOML: unclosed table, expected `]`",
            ],
        )],
    );
}

#[test]
fn invalid_json_reports_position() {
    rows(
        "spanmux.json",
        &[
            (
                "an unclosed object",
                "{",
                &["spanmux.json:1:1: invalid JSON: Unterminated object"],
            ),
            (
                "a trailing comma",
                "{\"service\": \"x\",}",
                &["spanmux.json:1:16: invalid JSON: Trailing commas are not allowed"],
            ),
            (
                "an array",
                "[]",
                &["spanmux.json:1:1: expected an object, found an array"],
            ),
            (
                "a duplicate key",
                "{\"tracers\": {\n  \"a\": {},\n  \"a\": {}}}",
                &["spanmux.json:3:3: duplicate key \"a\"; remove or rename one"],
            ),
            (
                "null, and an unknown key",
                "{\"service\": null,\n \"tracers\": {\"é\": {\"exporter\": {\"type\": \"file\", \"pat\": 1}}}}",
                &[
                    "spanmux.json:1:13: service: expected a string, found null",
                    "spanmux.json:2:20: tracers.\"é\".exporter: missing key \"path\": The output \
                     file, relative to the configuration file",
                    "spanmux.json:2:49: tracers.\"é\".exporter.pat: unknown key; did you mean \
                     \"path\"? Available: ca_certificates, content, filter, gzip, headers, \
                     max_request_bytes, max_span_bytes, name, no_proxy, origin, proxy, redaction, \
                     sampling, spill, system_certificates, timeout, keep, max_bytes, path, type",
                ],
            ),
        ],
    );
}

#[test]
fn messages_never_contain_secrets() {
    let folder = Folder::new();
    // A secret in every position that expects another value.
    let text = "service = 7\ndefault = '${SECRET}'\n\
                [tracers.a]\nsampling = '${SECRET}'\nbatch.queue = '${SECRET}'\nbatch.every = '${SECRET}'\n\
                [tracers.a.exporter]\ntype = '${SECRET}'\n\
                [tracers.b.exporter]\ntype = 'phoenix'\nbase_url = '${SECRET}'\napi_key = 7\nkey = '${SECRET}'\n\
                [tracers.c.exporter]\ntype = 'honeycomb'\napi_key = ''\nheaders = { x = ['hush-hush'] }";
    let error = folder.read("spanmux.toml", text).unwrap_err();
    assert_eq!(error.problems().len(), 11, "{error}");
    assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
}
