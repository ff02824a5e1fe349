//! A validated configuration.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::builder::ConfigBuilder;
use super::check::{Places, check, join};
use super::document::{Format, Source};
use super::environment;
use super::exporter::exporter;
use super::interpolate::Lookup;
use super::names;
use super::problem::{ConfigError, Problem};
use super::schema;
use super::shape::{AiTable, ContextTable, File, SelectorsTable, TracerTable};
use spanmux_genai::AiOptions;

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
///      ai, context, default, fallback, selectors, service, tracers"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Config {
    pub(super) source: Source,
    pub(super) places: Places,
    /// The base of relative paths.
    pub(super) directory: PathBuf,
    pub(super) service: Option<String>,
    pub(super) default: Option<String>,
    pub(super) fallback: Option<String>,
    pub(super) selectors: SelectorsTable,
    pub(super) context: ContextTable,
    ai: AiTable,
    /// The tracers, in file order.
    pub(super) tracers: Vec<(String, TracerTable)>,
    warnings: Vec<Problem>,
}

impl Config {
    /// Returns the options for AI spans, for [`Ai`](spanmux_genai::Ai).
    ///
    /// # Examples
    /// ```
    /// use spanmux::genai::Ai;
    /// use spanmux::config::Config;
    ///
    /// let config = Config::from_toml(r#"
    ///     service = "shop"
    ///     ai.capture_content = true
    ///     tracers.nowhere.exporter.type = "discard"
    /// "#)?;
    /// let options = config.ai_options();
    /// assert!(options.captures_content());
    /// # Ok::<(), spanmux::config::ConfigError>(())
    /// ```
    pub fn ai_options(&self) -> AiOptions {
        self.ai.clone().into()
    }

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
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let json = path.extension().is_some_and(|ending| ending == "json");
        let source = Source {
            file: path.display().to_string(),
            text,
            format: if json { Format::Json } else { Format::Toml },
        };
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
        let source = Source {
            file: file.to_owned(),
            text: text.to_owned(),
            format,
        };
        Self::read(source, PathBuf::new(), &environment::process)
    }

    fn read(source: Source, directory: PathBuf, look_up: Lookup<'_>) -> Result<Self, ConfigError> {
        let root = source.parse()?;
        let mut checked = check(&source, &root, &schema::schema(), look_up);
        names::check(&source, &root, &mut checked, &directory);
        let mut problems = checked.problems;
        problems.sort_by_key(|problem| (problem.line, problem.column));
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
        let config = Self {
            places: checked.places,
            directory,
            service: file.service,
            default: file.default,
            fallback: file.fallback,
            selectors: file.selectors,
            context: file.context,
            ai: file.ai,
            tracers,
            warnings: checked.warnings,
            source,
        };
        match config.wrong_addresses() {
            problems if problems.is_empty() => Ok(config),
            problems => Err(ConfigError::Invalid(problems)),
        }
    }

    /// Returns the endpoints that exporters reject.
    fn wrong_addresses(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (name, table) in &self.tracers {
            let path = join("tracers", name);
            let one = table
                .exporter
                .iter()
                .map(|one| (format!("{path}.exporter"), one));
            let several = table.exporters.iter().enumerate();
            let several = several.map(|(place, one)| (format!("{path}.exporters[{place}]"), one));
            for (key, table) in one.chain(several) {
                if let Err(error) = exporter(table.clone(), &self.directory).check_endpoint() {
                    problems.push(self.problem(&key, error.to_string()));
                }
            }
        }
        problems
    }

    /// Returns the warnings: secrets that are written literally in the file.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Returns a builder, to which code adds tracers, samplings and native selectors.
    pub fn builder(self) -> ConfigBuilder {
        ConfigBuilder::new(self)
    }

    /// Returns the JSON schema of the file format as text, for editors.
    pub fn schema() -> String {
        format!("{:#}\n", schema::schema())
    }

    /// Resolves a path relative to the file.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }

    /// Creates a problem at a key of the file.
    pub(super) fn problem(&self, key: &str, message: impl Into<String>) -> Problem {
        let at = self.places.get(key).copied().unwrap_or_default();
        self.source.problem(at, key, message)
    }
}

/// Shows the names of the file and its tracers, but no values.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tracers: Vec<&str> = self.tracers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Config")
            .field("file", &self.source.file)
            .field("tracers", &tracers)
            .finish_non_exhaustive()
    }
}
