//! The project templates, which are embedded in the command.

use std::borrow::Cow;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use rust_embed::Embed;

use super::{FILE, Project};
use spanmux::config::internal::nearest;

/// The placeholder for the selector's name.
const NAME: &str = "{{name}}";
/// The placeholder for the source of the Rust kit.
const KIT: &str = "{{kit}}";
/// The suffix of files that would otherwise take effect in the templates folder itself.
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
    /// The name of the folder, which is the value of `--lang`.
    pub(crate) language: String,
}

/// Returns the templates, sorted by language.
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
    /// Returns the template for a language.
    ///
    /// # Errors
    /// Returns an error with the nearest language and the list of all languages if there is none.
    pub(crate) fn find(language: &str) -> Result<Self> {
        let known = languages();
        let names: Vec<&str> = known.iter().map(|known| known.language.as_str()).collect();
        if !names.contains(&language) {
            let meant = nearest(language, names.iter().copied())
                .map(|name| format!("; did you mean `{name}`?"))
                .unwrap_or_default();
            bail!(
                "no template for the language `{language}`{meant}\n\nAvailable: {}. Any other \
                 language that compiles to components can implement wit/selector.wit.",
                names.join(", ")
            );
        }
        let language = language.to_owned();
        Ok(Self { language })
    }

    /// Returns the path and content of each file for a selector of this name.
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

    /// Returns the project file for a selector of this name.
    pub(crate) fn project(&self, name: &str) -> Result<Project> {
        let files = self.files(name);
        let file = files.iter().find(|(place, _)| place == FILE);
        let (_, content) = file.with_context(|| format!("the template has no {FILE}"))?;
        Project::parse(&String::from_utf8_lossy(content))
            .with_context(|| format!("the {FILE} of the template `{}` is invalid", self.language))
    }
}

/// Replaces the placeholders in a file. Files that are not UTF-8 are returned unchanged.
fn filled_in(content: Cow<'static, [u8]>, name: &str) -> Vec<u8> {
    match std::str::from_utf8(&content) {
        Ok(text) => text.replace(NAME, name).replace(KIT, &kit()).into_bytes(),
        Err(_) => content.into_owned(),
    }
}

/// Returns the dependency on the Rust kit: a path into the checkout from which this command was
/// built if it exists, otherwise a version in the registry.
fn kit() -> String {
    let kit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-sdk/rust");
    match kit.canonicalize() {
        Ok(kit) => format!("{{ path = {:?} }}", kit.display().to_string()),
        Err(_) => format!("{:?}", env!("CARGO_PKG_VERSION")),
    }
}
