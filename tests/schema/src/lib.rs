//! Validates files against the schema in `docs/` with an independent validator, as editors
//! do, and compares the results with those of the library.

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use jsonschema::Validator;
    use serde_json::Value;

    /// Valid files, which the tests of the library also accept.
    const FILES: [&str; 3] = [
        "host/config/src/annotated.toml",
        "host/spanmux/examples/several.toml",
        "host/spanmux/examples/mixed.toml",
    ];
    /// Tables with arbitrary keys.
    const ANY_KEYS: [&str; 2] = ["resource", "drop_attributes"];

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    fn read(file: &str) -> String {
        std::fs::read_to_string(root().join(file)).expect(file)
    }

    fn validator() -> Validator {
        let schema: Value = serde_json::from_str(&read("docs/spanmux.schema.json")).unwrap();
        jsonschema::draft202012::new(&schema).unwrap()
    }

    fn files() -> Vec<(&'static str, Value)> {
        let parse = |file| (file, toml::from_str(&read(file)).expect(file));
        FILES.into_iter().map(parse).collect()
    }

    /// Returns copies of a value, each with one additional key in one table.
    fn with_a_key_more(value: &Value, name: &str) -> Vec<Value> {
        let mut copies = Vec::new();
        match value {
            Value::Object(object) => {
                if !ANY_KEYS.contains(&name) {
                    let mut copy = object.clone();
                    copy.insert("unknown_key".to_owned(), 1.into());
                    copies.push(copy.into());
                }
                for (key, below) in object {
                    for below in with_a_key_more(below, key) {
                        let mut copy = object.clone();
                        copy.insert(key.clone(), below);
                        copies.push(copy.into());
                    }
                }
            }
            Value::Array(list) => {
                for (place, below) in list.iter().enumerate() {
                    for below in with_a_key_more(below, name) {
                        let mut copy = list.clone();
                        copy[place] = below;
                        copies.push(copy.into());
                    }
                }
            }
            _ => {}
        }
        copies
    }

    #[test]
    fn valid_files_pass_validation() {
        let validator = validator();
        for (file, value) in files() {
            let errors: Vec<String> = validator
                .iter_errors(&value)
                .map(|e| e.to_string())
                .collect();
            assert!(errors.is_empty(), "{file}: {errors:#?}");
        }
    }

    #[test]
    fn unknown_key_in_any_table_is_invalid() {
        let validator = validator();
        let mut tried = 0;
        for (file, value) in files() {
            for copy in with_a_key_more(&value, "") {
                tried += 1;
                assert!(!validator.is_valid(&copy), "{file}: {copy}");
            }
        }
        assert!(tried > 30, "only {tried} tables");
    }

    #[test]
    fn wrong_values_are_invalid() {
        let validator = validator();
        for text in [
            "",
            "service = 's'\n[tracers]",
            "[tracers.a]\nexporter = { type = 'langfues' }",
            "[tracers.a]\nexporter = { type = 'langfuse', public_key = 'x' }",
            "[tracers.a]\nexporter = { type = 'otlp', endpoint = 'localhost:4318' }",
            "[tracers.a]\nsampling = { ratio = 1.5 }",
            "[tracers.a]\nsampling = 'sometimes'",
            "[tracers.a]\nbatch = { every = 5 }",
            "[tracers.a]\nbatch = { every = '5' }",
            "[tracers.a]\n[selectors.limits]\nfuel = 0",
        ] {
            let value: Value = toml::from_str(text).unwrap();
            assert!(!validator.is_valid(&value), "{text}");
        }
    }
}
