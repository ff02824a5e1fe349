//! Validates values with alternatives: a table whose key `type` selects its keys, one of
//! several words, or a table with exactly one key.

use serde_json::Value as Json;

use super::check::{At, Check, join};
use super::document::{Entry, Value};
use super::nearest::{hint, hint_among};
use super::schema::{choices, tag, words};

impl Check<'_> {
    pub(super) fn one_of(&mut self, here: &At<'_>, schema: &Json) -> Json {
        let variants = schema["oneOf"].as_array().map_or(&[][..], Vec::as_slice);
        let tagged = variants.iter().any(|variant| tag(variant).is_some());
        let tables = variants.iter().any(|v| v.get("properties").is_some());
        match &here.node.value {
            Value::Table(entries) if tagged => self.tagged(here, entries, schema, variants),
            Value::Table(entries) if tables => self.only_key(here, entries, variants),
            Value::Text(written) if !tagged => self.word(here, written, variants),
            found => {
                let expected = if tagged {
                    "a table with the key \"type\",".to_owned()
                } else {
                    format!("one of {};", choices(variants))
                };
                let message = format!("expected {expected} found {}", found.kind());
                self.problem(here.node.at, here.path, message);
                Json::Null
            }
        }
    }

    /// Validates a table whose key `type` selects the other keys.
    fn tagged(
        &mut self,
        here: &At<'_>,
        entries: &[Entry],
        schema: &Json,
        variants: &[Json],
    ) -> Json {
        let tags = || variants.iter().filter_map(tag);
        let Some(entry) = entries.iter().find(|entry| entry.key == "type") else {
            let message = format!("missing key \"type\"{}", hint("", tags()));
            self.problem(here.at, here.path, message);
            return Json::Null;
        };
        let path = join(here.path, "type");
        let at = At::new(&entry.node, entry.at, &path);
        let Value::Text(written) = &entry.node.value else {
            let found = entry.node.value.kind();
            let message = format!("expected a string, found {found}{}", hint("", tags()));
            self.problem(entry.node.at, &path, message);
            return Json::Null;
        };
        let Some((text, _)) = self.filled(&at, written) else {
            return Json::Null;
        };
        match variants.iter().find(|variant| tag(variant) == Some(&text)) {
            Some(variant) => self.table(here, entries, &[schema, variant]),
            None => {
                let message = format!("unknown type {written:?}{}", hint(written, tags()));
                self.problem(entry.node.at, &path, message);
                Json::Null
            }
        }
    }

    /// Validates one of several words.
    fn word(&mut self, here: &At<'_>, written: &str, variants: &[Json]) -> Json {
        let Some((text, _)) = self.filled(here, written) else {
            return Json::Null;
        };
        let words: Vec<&str> = words(variants).collect();
        if !words.contains(&text.as_str()) {
            let hint = hint_among(written, &words, &choices(variants));
            let message = format!("unknown value {written:?}{hint}");
            self.problem(here.node.at, here.path, message);
        }
        text.into()
    }

    /// Validates a table with one key, which selects the variant.
    fn only_key(&mut self, here: &At<'_>, entries: &[Entry], variants: &[Json]) -> Json {
        let [entry] = entries else {
            let found = entries.len();
            let choices = choices(variants);
            let message = format!("expected one of {choices}; found a table with {found} keys");
            self.problem(here.node.at, here.path, message);
            return Json::Null;
        };
        let has = |variant: &&Json| variant["properties"].get(&entry.key).is_some();
        match variants.iter().find(has) {
            Some(variant) => self.table(here, entries, &[variant]),
            None => {
                let schemas: Vec<&Json> = variants.iter().collect();
                self.unknown(entry, &join(here.path, &entry.key), &schemas);
                Json::Null
            }
        }
    }
}
