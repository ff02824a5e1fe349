//! Values from the environment and from files.

use spanmux::config::{Config, ConfigError};

use crate::support::Folder;

const VARIABLES: [(&str, &str); 12] = [
    ("RATIO", "0.25"),
    ("COUNT", " 7\n"),
    ("YES", "True"),
    ("NO", "false"),
    ("WORD", "zebra-7"),
    ("HUGE", "99999999999999999999"),
    ("EMPTY", ""),
    ("BAD_HOST", "ze zebra:99999/quagga"),
    ("HOST", "collector"),
    ("PATH_TOO", "http://collector/zebra"),
    ("DISABLED", "1"),
    ("OTEL_SDK_DISABLED", "TRUE"),
];

fn read(folder: &Folder, text: &str) -> Result<Config, ConfigError> {
    Config::from_file_with(folder.write("etc/spanmux.toml", text), |name| {
        let found = VARIABLES.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

/// Reads a file whose exporter has these keys.
fn exporter(folder: &Folder, keys: &str) -> Result<Config, ConfigError> {
    let text = format!("service = 's'\n[tracers.a.exporter]\n{keys}\n");
    read(folder, &text)
}

#[test]
fn numbers_and_booleans_come_from_the_environment() {
    let folder = Folder::new();
    let text = "service = 's'
        ai.capture_content = '${YES}'
        [tracers.a]
        sampling = { ratio = '${RATIO}' }
        batch = { queue = '${COUNT}', size = '${NONE:-3}' }
        redaction = { defaults = '${NO}' }
        exporter = { type = 'file', path = 'a', max_bytes = '${COUNT}', keep = '${COUNT}' }";
    let config = read(&folder, text).unwrap();
    assert!(config.ai_options().captures_content());
    assert_eq!(config.tracers()[0].sampling.as_deref(), Some("ratio 0.25"));
}

#[test]
fn values_that_do_not_fit_are_errors_that_do_not_show_them() {
    let folder = Folder::new();
    for (keys, message) in [
        (
            "batch.queue = '${WORD}'",
            "expected an integer, found another text in the value of \"${WORD}\"",
        ),
        (
            "batch.queue = '${RATIO}'",
            "expected an integer, found another text in the value of \"${RATIO}\"",
        ),
        (
            "batch.queue = '${HUGE}'",
            "expected an integer, found another text in the value of \"${HUGE}\"",
        ),
        (
            "batch.queue = '${EMPTY}x'",
            "expected an integer, found another text in the value of \"${EMPTY}x\"",
        ),
        (
            "sampling.ratio = '${COUNT}'",
            "\"${COUNT}\" is not between 0 and 1",
        ),
        (
            "redaction.defaults = '${COUNT}'",
            "expected a boolean, found another text in the value of \"${COUNT}\"",
        ),
        ("batch.queue = '5'", "expected an integer, found a string"),
        ("batch.every = '${WORD}'", "invalid duration \"${WORD}\""),
        ("sampling = '${WORD}'", "unknown value \"${WORD}\""),
        (
            "batch.queue = '$(COUNT)'",
            "`$(COUNT)` is not replaced; write `${COUNT}`",
        ),
        (
            "batch.every = '%TIME%'",
            "`%TIME%` is not replaced; write `${TIME}`",
        ),
    ] {
        let text =
            format!("service = 's'\ntracers.a.exporter.type = 'discard'\ntracers.a.{keys}\n");
        let error = read(&folder, &text).unwrap_err().to_string();
        assert!(error.contains(message), "{keys}: {error}");
        for value in ["zebra", "0.25", "9999"] {
            assert!(!error.contains(value), "{keys}: {error}");
        }
    }
}

#[test]
fn files_hold_secrets() {
    let folder = Folder::new();
    folder.write("etc/keys/token", "hush\r\n");
    folder.write("etc/ratio", "0.5\n");
    let absolute = folder.path("etc/keys/token").display().to_string();
    let keys = format!(
        "type = 'langfuse'\npublic_key = 'pk'\nsecret_key = '${{file:keys/token}}'\n\
         headers = {{ x = 'Bearer ${{file:{absolute}}}', y = '${{file:absent:-none}}' }}"
    );
    let config = exporter(&folder, &keys).unwrap();
    assert_eq!(config.warnings(), []);
    let text = "service = 's'\n[tracers.a]\nsampling.ratio = '${file:ratio}'\n\
                exporter.type = 'discard'";
    let config = read(&folder, text).unwrap();
    assert_eq!(config.tracers()[0].sampling.as_deref(), Some("ratio 0.5"));

    let missing = exporter(&folder, "type = 'honeycomb'\napi_key = '${file:absent}'");
    let message = missing.unwrap_err().to_string();
    assert!(
        message.contains("api_key: the file \"absent\" does not exist; create it"),
        "{message}"
    );
}

#[test]
fn empty_variable_unsets_an_optional_setting() {
    let folder = Folder::new();
    for keys in [
        "type = 'phoenix'\nbase_url = 'http://phoenix'\napi_key = '${EMPTY}'\nproject = '${EMPTY}'",
        "type = 'phoenix'\nbase_url = 'http://phoenix'\nprotocol = '${NONE:-}'",
        "type = 'otlp'\nendpoint = 'http://a'\nproxy = '${EMPTY}'\ngzip = '${EMPTY}'",
        "type = 'otlp'\nendpoint = 'http://a'\ntimeout = '${EMPTY}'\nca_certificates = '${EMPTY}'",
        "type = 'langfuse'\npublic_key = 'p'\nsecret_key = '${WORD}'\nregion = 'us'\n\
         base_url = '${EMPTY}'",
    ] {
        let config = exporter(&folder, keys).unwrap_or_else(|error| panic!("{keys}: {error}"));
        let builder = config.builder();
        let selectors = builder.load_selectors().unwrap();
        builder.check_with(selectors).unwrap();
    }
    for (keys, message) in [
        (
            "type = 'honeycomb'\napi_key = '${EMPTY}'",
            "\"${EMPTY}\" is empty; set the variable",
        ),
        (
            "type = 'honeycomb'\napi_key = ''",
            "the string must not be empty",
        ),
        (
            "type = 'otlp'\nendpoint = 'http://a'\nheaders = { authorization = '${EMPTY}' }",
            "headers.authorization: \"${EMPTY}\" is empty",
        ),
    ] {
        let error = exporter(&folder, keys).unwrap_err().to_string();
        assert!(error.contains(message), "{keys}: {error}");
    }
}

#[test]
fn wrong_address_shows_no_part_of_a_value() {
    let folder = Folder::new();
    for keys in [
        "type = 'otlp'\nendpoint = 'http://${BAD_HOST}'",
        "type = 'otlp'\nendpoint = '${BAD_HOST}'",
        "type = 'otlp'\nendpoint = 'https://user:${BAD_HOST}@x y'",
        "type = 'otlp'\nprotocol = 'grpc'\nendpoint = '${PATH_TOO}'",
        "type = 'otlp'\nendpoint = 'http://a'\norigin = '${PATH_TOO}'",
        "type = 'langfuse'\npublic_key = 'p'\nsecret_key = '${WORD}'\nbase_url = 'http://${BAD_HOST}'",
        "type = 'datadog-agent'\naddress = 'http://${BAD_HOST}'",
    ] {
        let error = exporter(&folder, keys).unwrap_err().to_string();
        assert!(error.contains("${"), "{keys}: {error}");
        for part in ["zebra", "99999", "quagga"] {
            assert!(!error.contains(part), "{keys}: {error}");
        }
    }
}

#[test]
fn check_shows_no_value_of_a_path() {
    let folder = Folder::new();
    folder.write("etc/zebra-7", "a file");
    for keys in [
        "type = 'file'\npath = '${WORD}/a.jsonl'",
        "type = 'otlp'\nendpoint = 'http://a'\nspill.directory = '${WORD}/a'",
    ] {
        let builder = exporter(&folder, keys).unwrap().builder();
        let selectors = builder.load_selectors().unwrap();
        let error = builder.check_with(selectors).unwrap_err().to_string();
        assert!(
            error.contains("tracers.a: ") && error.contains("${WORD}"),
            "{error}"
        );
        assert!(!error.contains("zebra-7/a"), "{error}");
    }
}

#[test]
fn odd_address_is_a_warning() {
    let folder = Folder::new();
    for (keys, warning) in [
        (
            "endpoint = 'http://a:4317'",
            Some("port 4317, on which receivers usually expect gRPC"),
        ),
        (
            "endpoint = 'http://a:4318'\nprotocol = 'grpc'",
            Some("port 4318, on which receivers"),
        ),
        (
            "endpoint = 'http://a:4318/v1/metrics'",
            Some("\"/v1/metrics\", which does not accept"),
        ),
        ("endpoint = 'http://a:4318'", None),
        ("endpoint = 'http://a:4317'\nprotocol = 'grpc'", None),
    ] {
        let config = exporter(&folder, &format!("type = 'otlp'\n{keys}")).unwrap();
        let found: Vec<String> = config.warnings().iter().map(ToString::to_string).collect();
        assert_eq!(
            found.len(),
            usize::from(warning.is_some()),
            "{keys}: {found:?}"
        );
        for (found, warning) in found.iter().zip(warning) {
            assert!(
                found.contains(warning) && found.contains("tracers.a.exporter"),
                "{found}"
            );
        }
    }
}

#[test]
fn byte_order_mark_is_ignored() {
    let folder = Folder::new();
    let text = "\u{feff}service = 's'\n[tracers.a]\nexporter.type = 'discard'\nsampling = 1";
    let error = folder.read("spanmux.toml", text).unwrap_err();
    assert!(
        folder.shown(&error).starts_with("spanmux.toml:4:12: "),
        "{error}"
    );
    let json = "\u{feff}{\"service\": \"s\", \"tracers\": {\"a\": {\"exporter\": {\"type\": \"discard\"}}}}";
    folder.read("spanmux.json", json).unwrap();
    Config::from_json(json).unwrap();

    let path = folder.write("latin.toml", b"service = 's'\nx = 'caf\xe9'\n");
    let error = Config::from_file(path).unwrap_err();
    assert_eq!(
        folder.shown(error),
        "latin.toml:2:9: the file is not UTF-8 text; save it as UTF-8"
    );
}

#[test]
fn sdk_disabled_is_honoured_on_request() {
    let folder = Folder::new();
    let text = "service = 's'\n[tracers.a]\nexporter = { type = 'file', path = 'a.jsonl' }\n\
                [tracers.own]\ntype = 'provided'\n";
    for (first, disabled) in [
        ("", false),
        ("honour_sdk_disabled = false\n", false),
        ("honour_sdk_disabled = true\n", true),
        ("honour_sdk_disabled = '${YES}'\n", true),
    ] {
        let config = read(&folder, &format!("{first}{text}")).unwrap();
        assert_eq!(config.is_disabled(), disabled, "{first}");
        let own = opentelemetry_sdk::trace::SdkTracerProvider::builder();
        let provider = config.builder().tracer("own", own).build().unwrap();
        assert_eq!(provider.registry().names().as_slice(), ["a", "own"]);
        assert_eq!(folder.path("etc/a.jsonl").exists(), !disabled, "{first}");
        drop(provider.shutdown());
        let _ = std::fs::remove_file(folder.path("etc/a.jsonl"));
    }
    // Any other word leaves the SDK enabled.
    let other = Config::from_file_with(
        folder.write("x.toml", format!("honour_sdk_disabled = true\n{text}")),
        |_| Some("1".to_owned()),
    );
    assert!(!other.unwrap().is_disabled());
}
