//! The templates, which are built into the command.

use std::borrow::Cow;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use rust_embed::Embed;

use super::{FILE, Project};
use crate::nearest::nearest;

/// What stands for the selector's name in a template.
const NAME: &str = "{{name}}";
/// What stands for where the Rust kit is.
const KIT: &str = "{{kit}}";
/// The ending of files that would mean something where the templates lie.
const ENDING: &str = ".template";

#[derive(Embed)]
#[folder = "templates/"]
#[exclude = "README.md"]
#[exclude = "*/build/*"]
#[exclude = "*/node_modules/*"]
#[exclude = "*/target/*"]
#[exclude = "*/__pycache__/*"]
struct Files;

/// The template of one language.
#[derive(Debug)]
pub(crate) struct Template {
    /// The folder's name, which is what `--lang` takes.
    pub(crate) language: String,
}

/// The languages that there are templates for, sorted.
pub(crate) fn languages() -> Vec<Template> {
    let mut languages: Vec<String> = Files::iter()
        .filter_map(|path| match path.split_once('/')? {
            (language, FILE) => Some(language.to_owned()),
            _ => None,
        })
        .collect();
    languages.sort_unstable();
    let template = |language| Template { language };
    languages.into_iter().map(template).collect()
}

impl Template {
    /// The template for a language.
    ///
    /// # Errors
    /// Names the nearest language, and all of them.
    pub(crate) fn find(language: &str) -> Result<Self> {
        let known = languages();
        let names: Vec<&str> = known.iter().map(|known| known.language.as_str()).collect();
        if !names.contains(&language) {
            let meant = nearest(language, names.iter().copied())
                .map(|name| format!("; did you mean `{name}`?"))
                .unwrap_or_default();
            bail!(
                "there is no template for the language `{language}`{meant}\n\nThere are: {}. Any \
                 other language that makes components works against wit/selector.wit.",
                names.join(", ")
            );
        }
        let language = language.to_owned();
        Ok(Self { language })
    }

    /// Its files for a selector of this name: where each goes, and what is in it.
    pub(crate) fn files(&self, name: &str) -> Vec<(String, Vec<u8>)> {
        let folder = format!("{}/", self.language);
        let paths = Files::iter().filter_map(|path| path.strip_prefix(&folder).map(str::to_owned));
        let files = paths.filter_map(|path| {
            let content = Files::get(&format!("{folder}{path}"))?.data;
            let place = path.strip_suffix(ENDING).unwrap_or(&path).to_owned();
            Some((place, filled_in(content, name)))
        });
        files.collect()
    }

    /// What its projects say of themselves.
    pub(crate) fn project(&self, name: &str) -> Result<Project> {
        let files = self.files(name);
        let file = files.iter().find(|(place, _)| place == FILE);
        let (_, content) = file.with_context(|| format!("its template has no {FILE}"))?;
        Project::parse(&String::from_utf8_lossy(content))
            .with_context(|| format!("the {FILE} of the template `{}` is wrong", self.language))
    }
}

/// What is no text stays as it is.
fn filled_in(content: Cow<'static, [u8]>, name: &str) -> Vec<u8> {
    match std::str::from_utf8(&content) {
        Ok(text) => text.replace(NAME, name).replace(KIT, &kit()).into_bytes(),
        Err(_) => content.into_owned(),
    }
}

/// Where a crate finds the Rust kit: in the checkout that this command was built
/// from, as long as it is there, and else in the registry.
fn kit() -> String {
    let kit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-sdk/rust");
    match kit.canonicalize() {
        Ok(kit) => format!("{{ path = {:?} }}", kit.display().to_string()),
        Err(_) => format!("{:?}", env!("CARGO_PKG_VERSION")),
    }
}
