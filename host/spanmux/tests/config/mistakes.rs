//! Every way to get a file wrong, with its full message.

use spanmux::config::Config;

use crate::support::Folder;

/// The kinds of exporters, as messages list them.
const KINDS: &str = "console, file, discard, otlp, langfuse, datadog-agent, datadog, phoenix, \
                     mlflow, braintrust, langsmith, arize, honeycomb, grafana-cloud";

/// Holds what is said of files against what is expected; KINDS stands for the kinds.
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
fn a_wrong_key_is_named_with_the_nearest_right_one() {
    rows(
        "spanmux.toml",
        &[
            (
                "an unknown key at the top",
                "servise = 'shop'\n[tracers.a]\nservice = 's'\nexporter.type = 'console'",
                &[
                    "spanmux.toml:1:1: servise: there is no such key; did you mean \"service\"? \
                   There are: ai, context, default, fallback, selectors, service, tracers",
                ],
            ),
            (
                "an unknown key that is near to none",
                "service = 's'\ncolour = 'red'\n[tracers.a]\nexporter.type = 'console'",
                &[
                    "spanmux.toml:2:1: colour: there is no such key; there are: ai, context, \
                   default, fallback, selectors, service, tracers",
                ],
            ),
            (
                "an unknown key of an exporter, which its missing keys show too",
                "service = 's'\n[tracers.a.exporter]\ntype = 'langfuse'\npublik_key = 'hush'",
                &[
                    "spanmux.toml:2:12: tracers.a.exporter: the key \"public_key\" is missing: The \
                     public key of a project",
                    "spanmux.toml:2:12: tracers.a.exporter: the key \"secret_key\" is missing: The \
                     secret key of the project",
                    "spanmux.toml:4:1: tracers.a.exporter.publik_key: there is no such key; did \
                     you mean \"public_key\"? There are: ca_certificates, filter, gzip, \
                     headers, origin, proxy, spill, timeout, base_url, public_key, region, secret_key, type",
                ],
            ),
            (
                "a key for backends",
                "service = 's'\n[tracers.a]\nexporter = { type = 'console', gzip = true }",
                &[
                    "spanmux.toml:3:32: tracers.a.exporter.gzip: an exporter of type \"console\" \
                   sends to no backend; remove the key",
                ],
            ),
            (
                "a region of a cloud for a server of one's own",
                "service = 's'\n[tracers.a.exporter]\ntype = 'langfuse'\npublic_key = 'p'\n\
                 secret_key = '${SECRET}'\nregion = 'us'\nbase_url = 'http://l:3000'",
                &[
                    "spanmux.toml:6:1: tracers.a.exporter.region: a server of your own is in no \
                     region of a cloud; remove this key, or `base_url`",
                ],
            ),
            (
                "a key with a dot in it",
                "service = 's'\n[tracers.\"eu.shop\"]\nexporter.typ = 'console'",
                &[
                    "spanmux.toml:3:1: tracers.\"eu.shop\".exporter: the key \"type\" is missing; \
                   there are: KINDS",
                ],
            ),
        ],
    );
}

#[test]
fn a_wrong_value_is_named_with_the_right_ones() {
    rows(
        "spanmux.toml",
        &[
            (
                "an unknown exporter",
                "service = 's'\n[tracers.a.exporter]\ntype = 'langfues'",
                &[
                    "spanmux.toml:3:8: tracers.a.exporter.type: \"langfues\" is unknown; did you \
                   mean \"langfuse\"? There are: KINDS",
                ],
            ),
            (
                "wrong types",
                "service = 7\n[tracers.a]\nexporter = 'console'\nresource = 1979-05-27",
                &[
                    "spanmux.toml:1:11: service: a whole number is here, where a text belongs",
                    "spanmux.toml:3:12: tracers.a.exporter: a text is here, where a table with \
                     the key \"type\" belongs",
                    "spanmux.toml:4:12: tracers.a.resource: a date or a time is here, where a \
                     table belongs",
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
                    "spanmux.toml:7:12: tracers.b.sampling: \"allways\" is unknown; did you mean \
                     \"always\"? There are: \"always\", \"never\", { ratio = … }, { custom = … }",
                    "spanmux.toml:10:14: tracers.c.sampling.rate: there is no such key; did you \
                     mean \"ratio\"? There are: ratio, custom",
                    "spanmux.toml:13:12: tracers.d.sampling: a number is here, where one of these \
                     belongs: \"always\", \"never\", { ratio = … }, { custom = … }",
                    "spanmux.toml:16:12: tracers.e.sampling: a table with 0 keys is here, where \
                     one of these belongs: \"always\", \"never\", { ratio = … }, { custom = … }",
                ],
            ),
            (
                "an address without its scheme",
                "service = 's'\n[tracers.a.exporter]\ntype = 'otlp'\nendpoint = 'localhost:4318'",
                &[
                    "spanmux.toml:4:12: tracers.a.exporter.endpoint: \"localhost:4318\" is no \
                   address; it begins with its scheme, as in \"https://localhost:4318\"",
                ],
            ),
            (
                "an address with a password is shown without",
                "service = 's'\n[tracers.a.exporter]\ntype = 'otlp'\nendpoint = 'me:hush@host'",
                &[
                    "spanmux.toml:4:12: tracers.a.exporter.endpoint: \"host\" is no address; it \
                   begins with its scheme, as in \"https://host\"",
                ],
            ),
            (
                "an address that a request cannot go to",
                "service = 's'\n[tracers.a]\nexporters = [{ type = 'otlp', endpoint = \
                 'https://me:hush@host/x?key=hush' }]",
                &[
                    "spanmux.toml:3:14: tracers.a.exporters[0]: the endpoint \"https://***@host/x?***\" of exporter otlp contains credentials, \
                   which would be shown; send them in a header",
                ],
            ),
            (
                "limits and times",
                "service = 's'\n[tracers.a]\nexporter.type = 'discard'\n[selectors.limits]\n\
                 fuel = 0\nmemory_bytes = -1\ntables = '4'\nwall_clock = '0s'\n\
                 admission_wait = '5'\nengines = 1.5",
                &[
                    "spanmux.toml:5:8: selectors.limits.fuel: 0 is too small; it is at least 1",
                    "spanmux.toml:6:16: selectors.limits.memory_bytes: -1 is too small; it is at \
                     least 1",
                    "spanmux.toml:7:10: selectors.limits.tables: a text is here, where a whole \
                     number belongs",
                    "spanmux.toml:8:14: selectors.limits.wall_clock: \"0s\" is no time at all",
                    "spanmux.toml:9:18: selectors.limits.admission_wait: \"5\" is no length of \
                     time; write a number with its unit, as in \"100ms\", \"5s\" or \"1m 30s\"",
                    "spanmux.toml:10:11: selectors.limits.engines: a number is here, where a whole \
                     number belongs",
                ],
            ),
            (
                "a time that is a number",
                "service = 's'\n[tracers.a]\nexporter.type = 'discard'\nbatch.every = 5",
                &[
                    "spanmux.toml:4:15: tracers.a.batch.every: a whole number is here, where a \
                   length of time belongs, as \"100ms\" or \"5s\"",
                ],
            ),
        ],
    );
}

#[test]
fn a_name_that_means_nothing_is_named_with_those_that_do() {
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
                     \"langfuse\"? There are: langfuse, quarantine",
                    "spanmux.toml:3:12: fallback: no tracer is named \"quarantin\"; did you mean \
                     \"quarantine\"? There are: langfuse, quarantine",
                ],
            ),
            (
                "two tracers of one name",
                "service = 's'\n[tracers.a]\nexporter.type = 'console'\n\
                 [tracers.a]\nexporter.type = 'discard'",
                &["spanmux.toml:4:10: \"a\" is there twice; remove one, or give it another name"],
            ),
            (
                "two tracers whose names differ in case",
                "service = 's'\n[tracers.acme]\nexporter.type = 'console'\n\
                 [tracers.ACME]\nexporter.type = 'discard'",
                &[
                    "spanmux.toml:4:10: tracers.ACME: there is a tracer \"acme\" too, and a selector \
                   that means one would name the other; give one another name",
                ],
            ),
            (
                "a directory that does not exist, and an order with one name twice",
                "service = 's'\n[tracers.a]\nexporter.type = 'discard'\n[selectors]\n\
                 directory = 'selektors'\norder = ['x', '*', 'x']\nmodes = { x = 'statefull' }",
                &[
                    "spanmux.toml:5:13: selectors.directory: there is no directory selektors; \
                     create it, or name the right one",
                    "spanmux.toml:6:20: selectors.order[2]: it is in the order twice; remove one",
                    "spanmux.toml:7:15: selectors.modes.x: \"statefull\" is unknown; did you mean \
                     \"stateful\"? There are: \"cached\", \"fresh\", \"stateful\"",
                ],
            ),
        ],
    );
}

#[test]
fn what_is_not_there_is_named() {
    rows(
        "spanmux.toml",
        &[
            (
                "an empty file",
                " \n",
                &["spanmux.toml:1:1: the file is empty; `spanmux init` writes one to begin with"],
            ),
            (
                "no tracer",
                "service = 's'",
                &[
                    "spanmux.toml:1:1: the key \"tracers\" is missing: The tracers by name, at least one",
                ],
            ),
            (
                "no tracer in the table",
                "service = 's'\n[tracers]",
                &["spanmux.toml:2:2: tracers: the table is empty, and needs at least one entry"],
            ),
            (
                "no exporter, no service, and both keys for exporters",
                "[tracers.a]\n[tracers.b]\nservice = 's'\nexporters = []\n\
                 [tracers.c]\nservice = 's'\nexporter.type = 'discard'\nexporters = [{ type = 'console' }]",
                &[
                    "spanmux.toml:1:10: tracers.a: it has no service name; write `service` here, \
                     or once at the top of the file",
                    "spanmux.toml:1:10: tracers.a: it has no exporter; write `exporter` with a \
                     `type`, which is \"discard\" if its spans shall go nowhere",
                    "spanmux.toml:4:1: tracers.b.exporters: it has no exporter; write `exporter` \
                     with a `type`, which is \"discard\" if its spans shall go nowhere",
                    "spanmux.toml:8:1: tracers.c.exporters: there is `exporter` too; write all of \
                     them as `exporters`",
                ],
            ),
            (
                "a provided tracer that says more",
                "[tracers.own]\ntype = 'provided'\nsampling = 'never'",
                &[
                    "spanmux.toml:3:1: tracers.own.sampling: code provides this tracer and says this \
                   itself; remove the key, or `type`",
                ],
            ),
            (
                "a file of certificates",
                "service = 's'\n[tracers.a.exporter]\ntype = 'otlp'\nendpoint = 'https://c'\n\
                 ca_certificates = '${SECRET}.pem'",
                &[
                    "spanmux.toml:5:19: tracers.a.exporter.ca_certificates: the file \
                     ${SECRET}.pem cannot be read; name one of PEM text that this process may read",
                ],
            ),
            (
                "environment variables",
                "service = '${SERVICE}'\ndefault = '${'\nfallback = '${a b}'\n\
                 [tracers.a.exporter]\ntype = '${NOPE:-console}'",
                &[
                    "spanmux.toml:1:11: service: the environment variable SERVICE is not set; set \
                     it, or write ${SERVICE:-DEFAULT} for what stands in for it",
                    "spanmux.toml:2:11: default: ${ is not closed; write ${NAME} for a value from \
                     the environment, or $${ for the two characters ${",
                    "spanmux.toml:3:12: fallback: \"a b\" is no name of an environment variable; \
                     it has letters, digits and underscores, and $${ stands for the two \
                     characters ${",
                ],
            ),
        ],
    );
    let error = Config::from_file("nowhere/spanmux.toml").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration nowhere/spanmux.toml cannot be read; name the right file, or write one \
         with `spanmux init`"
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("No such file"), "{cause}");
}

#[test]
fn what_is_no_toml_says_where() {
    rows(
        "spanmux.toml",
        &[(
            "two lines",
            "service = \n[tracers.a\nx = 1",
            &[
                "spanmux.toml:1:11: this is not TOML: string values must be quoted, expected \
                 literal string",
                "spanmux.toml:2:11: this is not TOML: unclosed table, expected `]`",
            ],
        )],
    );
}

#[test]
fn json_has_the_same_places() {
    rows(
        "spanmux.json",
        &[
            (
                "not closed",
                "{",
                &["spanmux.json:1:1: this is not JSON: Unterminated object"],
            ),
            (
                "a comma too many",
                "{\"service\": \"x\",}",
                &["spanmux.json:1:16: this is not JSON: Trailing commas are not allowed"],
            ),
            (
                "a list",
                "[]",
                &["spanmux.json:1:1: a configuration is an object, and this is a list"],
            ),
            (
                "a name twice",
                "{\"tracers\": {\n  \"a\": {},\n  \"a\": {}}}",
                &["spanmux.json:3:3: \"a\" is there twice; remove one, or give it another name"],
            ),
            (
                "null, and a typo",
                "{\"service\": null,\n \"tracers\": {\"é\": {\"exporter\": {\"type\": \"file\", \"pat\": 1}}}}",
                &[
                    "spanmux.json:1:13: service: null is here, where a text belongs",
                    "spanmux.json:2:20: tracers.\"é\".exporter: the key \"path\" is missing: The \
                     file that is written to",
                    "spanmux.json:2:49: tracers.\"é\".exporter.pat: there is no such key; did you \
                     mean \"path\"? There are: ca_certificates, filter, gzip, headers, \
                     origin, proxy, spill, timeout, keep, max_bytes, path, type",
                ],
            ),
        ],
    );
}

#[test]
fn no_secret_is_in_a_message() {
    let folder = Folder::new();
    // A secret in every place in which something else belongs.
    let text = "service = 7\ndefault = '${SECRET}'\n\
                [tracers.a]\nsampling = '${SECRET}'\nbatch.queue = '${SECRET}'\nbatch.every = '${SECRET}'\n\
                [tracers.a.exporter]\ntype = '${SECRET}'\n\
                [tracers.b.exporter]\ntype = 'phoenix'\nbase_url = '${SECRET}'\napi_key = 7\nkey = '${SECRET}'\n\
                [tracers.c.exporter]\ntype = 'honeycomb'\napi_key = ''\nheaders = { x = ['hush-hush'] }";
    let error = folder.read("spanmux.toml", text).unwrap_err();
    assert_eq!(error.problems().len(), 11, "{error}");
    assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
}
