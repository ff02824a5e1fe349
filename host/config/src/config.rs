//! A validated configuration.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::builder::ConfigBuilder;
use super::check::{check, join};
use super::destinations;
use super::document::{Format, Source};
use super::environment;
use super::interpolate::{Lookup, Outside};
use super::located::Located;
use super::names;
use super::problem::{ConfigError, Problem};
use super::schema;
use super::shape::{AiTable, ContextTable, File, SelectorsTable, TracerTable};

/// A validated configuration of tracers and selectors, with environment variables replaced.
/// See the [module](super) for the file format.
///
/// Reading validates the whole file and reports all mistakes at once. Tracers and selectors
/// are created later, by [`build`](ConfigBuilder::build).
///
/// # Examples
/// ```
/// use spanmux::config::Config;
///
/// let config = Config::from_toml(r#"
///     service = "shop"
///     [tracers.console.exporter]
///     type = "console"
/// "#)?;
/// let provider = config.builder().build()?;
/// assert_eq!(provider.registry().names().as_slice(), ["console"]);
///
/// let error = Config::from_toml("service = 'shop'\ntracer = {}").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "spanmux.toml:1:1: missing key \"tracers\": The tracers by name, at least one\n\
///      spanmux.toml:2:1: tracer: unknown key; did you mean \"tracers\"? Available: \
///      ai, context, default, exporters, fallback, honour_sdk_disabled, selectors, service, tracers"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Config {
    pub(super) located: Arc<Located>,
    /// The base of relative paths.
    pub(super) directory: PathBuf,
    pub(super) service: Option<String>,
    pub(super) default: Option<String>,
    pub(super) fallback: Option<String>,
    pub(super) selectors: SelectorsTable,
    pub(super) context: ContextTable,
    pub(super) ai: AiTable,
    /// The tracers, in file order.
    pub(super) tracers: Vec<(String, TracerTable)>,
    pub(super) disabled: bool,
    pub(super) warnings: Vec<Problem>,
}

impl Config {
    /// Reads a file: JSON if its name ends in `.json`, TOML otherwise. `${NAME}` is replaced
    /// from the process environment. Relative paths are resolved against the directory of
    /// the file.
    ///
    /// # Errors
    /// Returns [`ConfigError`] if the file cannot be read or is invalid. An invalid file is
    /// reported with all its mistakes.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        Self::from_file_with(path, environment::process)
    }

    /// Like [`from_file`](Self::from_file), with `look_up` as the source of the values of
    /// `${NAME}`.
    ///
    /// # Errors
    /// Same as [`from_file`](Self::from_file).
    pub fn from_file_with(
        path: impl AsRef<Path>,
        look_up: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let json = path.extension().is_some_and(|ending| ending == "json");
        let format = if json { Format::Json } else { Format::Toml };
        let source = Source::from_bytes(path.display().to_string(), bytes, format)?;
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        Self::read(source, directory, &look_up)
    }

    /// Reads TOML. Relative paths are resolved against the working directory.
    ///
    /// # Errors
    /// Same as [`from_file`](Self::from_file).
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Self::from_text("spanmux.toml", text, Format::Toml)
    }

    /// Reads JSON with the same structure. Relative paths are resolved against the working
    /// directory.
    ///
    /// # Errors
    /// Same as [`from_file`](Self::from_file).
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        Self::from_text("spanmux.json", text, Format::Json)
    }

    fn from_text(file: &str, text: &str, format: Format) -> Result<Self, ConfigError> {
        let source = Source::new(file.to_owned(), text, format);
        Self::read(source, PathBuf::new(), &environment::process)
    }

    fn read(source: Source, directory: PathBuf, look_up: Lookup<'_>) -> Result<Self, ConfigError> {
        let mut root = source.parse()?;
        let outside = Outside {
            look_up,
            directory: &directory,
        };
        let findings = destinations::expand(&source, &mut root);
        let mut checked = check(&source, &root, &schema::schema(), outside);
        root.remove(&checked.absent);
        names::check(&source, &root, &mut checked, &directory);
        let problems = at_once(findings.problems, checked.problems);
        if !problems.is_empty() {
            return Err(ConfigError::Invalid(problems));
        }
        // A `serde` error may quote the value, which may be a secret.
        let file: File = serde_json::from_value(checked.values).map_err(|_| {
            source.problem(
                0,
                "",
                "the file passed validation but could not be deserialized",
            )
        })?;
        let mut tracers: Vec<_> = file.tracers.into_iter().collect();
        tracers.sort_by_key(|(name, _)| checked.places.get(&join("tracers", name)));
        let disabled = file.honour_sdk_disabled && environment::is_disabled(look_up);
        #[allow(unused_mut)] // Without tracers, there are no endpoints.
        let mut config = Self {
            located: Arc::new(Located {
                source,
                places: checked.places,
                taken: checked.taken,
            }),
            directory,
            service: file.service,
            default: file.default,
            fallback: file.fallback,
            selectors: file.selectors,
            context: file.context,
            ai: file.ai,
            tracers,
            disabled,
            warnings: at_once(findings.warnings, checked.warnings),
        };
        #[cfg(feature = "otel")]
        config.check_endpoints()?;
        Ok(config)
    }

    /// Returns `true` if the file has `honour_sdk_disabled = true` and the environment variable
    /// `OTEL_SDK_DISABLED` is `true`. The built provider then records nothing and runs no selector.
    ///
    /// # Examples
    /// ```
    /// use spanmux::config::Config;
    ///
    /// let config = Config::from_toml(r#"
    ///     service = "shop"
    ///     honour_sdk_disabled = true
    ///     tracers.nowhere.exporter.type = "discard"
    /// "#)?;
    /// assert!(!config.is_disabled());
    /// # Ok::<(), spanmux::config::ConfigError>(())
    /// ```
    pub fn is_disabled(&self) -> bool {
        self.disabled
    }

    /// Returns the warnings: addresses that are unlikely to accept traces, secrets that are written
    /// literally in the file, references in the form of another program, such as `$(NAME)`, patterns
    /// of allow-lists that match no tracer, and named exporters that no tracer uses.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Returns a builder, to which code adds tracers, samplings and native selectors.
    pub fn builder(self) -> ConfigBuilder {
        ConfigBuilder::new(self)
    }

    /// Returns the JSON schema of the file format as text, for editors.
    pub fn schema() -> String {
        format!("{:#}\n", schema::published())
    }

    /// Resolves a path relative to the file.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }

    /// Creates a problem at a key of the file.
    pub(super) fn problem(&self, key: &str, message: impl Into<String>) -> Problem {
        self.located.problem(key, message)
    }
}

/// Sorts problems by their place. A problem of a named exporter appears once, however many tracers use
/// the exporter.
fn at_once(mut problems: Vec<Problem>, more: Vec<Problem>) -> Vec<Problem> {
    problems.extend(more);
    let is_use = |problem: &Problem| !problem.key.starts_with("exporters.");
    problems.sort_by_key(|problem| (problem.line, problem.column, is_use(problem)));
    let mut known = HashSet::new();
    problems.retain(|it| known.insert((it.line, it.column, it.message.clone())));
    problems
}

/// Shows the names of the file and its tracers, but no values.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tracers: Vec<&str> = self.tracers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Config")
            .field("file", &self.located.source.file)
            .field("tracers", &tracers)
            .finish_non_exhaustive()
    }
}
