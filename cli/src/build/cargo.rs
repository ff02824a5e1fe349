//! Reads package metadata from cargo and runs its builds.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The stack size of a selector in bytes. A decision is a few calls deep, and with a small stack
/// everything fits into one page of memory. A package can set a larger one with
/// `package.metadata.spanmux.stack-bytes`.
const STACK_BYTES: u64 = 16 * 1024;

/// The build profile. It prefers size over speed, because a decision is a handful of comparisons
/// and compiling and instantiating the module cost more. Compared to `s`, `z` saves 5 % of the
/// bytes but runs 25 % more instructions.
const PROFILE: [&str; 6] = [
    "profile.release.opt-level='s'",
    "profile.release.lto=true",
    "profile.release.codegen-units=1",
    "profile.release.panic='abort'",
    "profile.release.strip=true",
    "profile.release.debug=false",
];

/// The package in a folder, as described by `cargo metadata`.
pub(super) struct Package {
    pub(super) name: String,
    /// Its folder, as passed by the user.
    pub(super) folder: PathBuf,
    /// The value of `package.metadata.spanmux.output`.
    pub(super) output: Option<PathBuf>,
    manifest: PathBuf,
    stack_bytes: u64,
    target_directory: PathBuf,
    workspace_root: PathBuf,
    /// Packages of the build that are outside the workspace and the registry, with their folders.
    elsewhere: Vec<(String, PathBuf)>,
}

impl Package {
    pub(super) fn read(folder: &Path, target: &str, cargo_args: &[String]) -> Result<Self> {
        let manifest = folder.join("Cargo.toml");
        if !manifest.is_file() {
            bail!(
                "{} contains neither a selector.toml nor a Cargo.toml; pass the folder of a \
                 selector, or create one with `spanmux new --lang LANG NAME`",
                folder.display()
            );
        }
        let manifest = manifest
            .canonicalize()
            .with_context(|| format!("cannot open {}", manifest.display()))?;

        let mut command = cargo(folder);
        command
            .args([
                "metadata",
                "--format-version",
                "1",
                "--filter-platform",
                target,
            ])
            .arg("--manifest-path")
            .arg(&manifest)
            .args(cargo_args.iter().filter(|arg| is_about_the_lock_file(arg)))
            .stderr(Stdio::inherit());
        let metadata: Value = serde_json::from_slice(&output(command)?)
            .context("cargo metadata did not write JSON")?;
        Self::find(&metadata, folder, &manifest)
    }

    pub(super) fn find(metadata: &Value, folder: &Path, manifest: &Path) -> Result<Self> {
        let packages = || metadata["packages"].as_array().into_iter().flatten();
        let Some(package) = packages().find(|package| path(&package["manifest_path"]) == manifest)
        else {
            bail!(
                "{} is a workspace without a root package; pass the folder of one of its \
                 packages",
                folder.display()
            );
        };
        let name = text(&package["name"]);
        let is_cdylib = |target: &Value| {
            let kinds = target["crate_types"].as_array();
            kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "cdylib"))
        };
        let mut targets = package["targets"].as_array().into_iter().flatten();
        if !targets.any(is_cdylib) {
            bail!(
                "`{name}` is not a `cdylib`; add this to {}:\n\n    \
                 [lib]\n    crate-type = [\"cdylib\"]",
                folder.join("Cargo.toml").display()
            );
        }

        let workspace_root = path(&metadata["workspace_root"]);
        let elsewhere = packages()
            .filter(|package| !text(&package["source"]).starts_with("registry+"))
            .filter_map(|package| {
                let folder = path(&package["manifest_path"]).parent()?.to_owned();
                Some((text(&package["name"]), folder))
            })
            .filter(|(_, folder)| !folder.starts_with(&workspace_root))
            .collect();
        let settings = &package["metadata"]["spanmux"];
        let stack_bytes = match &settings["stack-bytes"] {
            Value::Null => STACK_BYTES,
            set => set.as_u64().with_context(|| {
                format!(
                    "`package.metadata.spanmux.stack-bytes` of `{name}` must be a number of bytes"
                )
            })?,
        };
        Ok(Self {
            name,
            folder: folder.to_owned(),
            output: settings["output"].as_str().map(PathBuf::from),
            manifest: manifest.to_owned(),
            stack_bytes,
            target_directory: path(&metadata["target_directory"]),
            workspace_root,
            elsewhere,
        })
    }
}

/// The compiler that cargo uses.
pub(super) struct Toolchain {
    sysroot: PathBuf,
    /// The path under which the standard library refers to its own sources.
    library_sources: String,
}

impl Toolchain {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let ask = |args: &[&str]| -> Result<String> {
            let mut command = Command::new(&rustc);
            command
                .args(args)
                .current_dir(folder)
                .stderr(Stdio::inherit());
            Ok(String::from_utf8_lossy(&output(command)?).trim().to_owned())
        };
        let version = ask(&["-vV"])?;
        let commit = version
            .lines()
            .find_map(|line| line.strip_prefix("commit-hash: "))
            .unwrap_or("unknown");
        Ok(Self {
            sysroot: ask(&["--print", "sysroot"])?.into(),
            library_sources: format!("/rustc/{commit}"),
        })
    }

    /// Checks that the standard library for `target` is installed.
    ///
    /// # Errors
    /// Returns an error with the remedy if it is missing.
    pub(super) fn require(&self, target: &str) -> Result<()> {
        if self.sysroot.join("lib/rustlib").join(target).is_dir() {
            return Ok(());
        }
        bail!(
            "the target {target} is not installed in {}; run\n\n    rustup target add {target}\n\n\
             or, for a compiler without rustup whose library sources are installed, build the \
             standard library too: RUSTC_BOOTSTRAP=1 and the cargo argument \
             -Zbuild-std=std,panic_abort",
            self.sysroot.display()
        );
    }
}

/// Builds the package and returns the path of the module that the compiler wrote.
pub(super) fn build(
    package: &Package,
    toolchain: &Toolchain,
    target: &str,
    cargo_args: &[String],
) -> Result<PathBuf> {
    let mut command = cargo(&package.folder);
    command
        .args(["build", "--release", "--target", target])
        .arg("--message-format=json-render-diagnostics")
        .arg("--manifest-path")
        .arg(&package.manifest)
        .args(["--package", &package.name])
        // Separate from the application's own builds, which use other flags.
        .arg("--target-dir")
        .arg(package.target_directory.join("spanmux"))
        .args(PROFILE.iter().flat_map(|setting| ["--config", setting]))
        .args(cargo_args)
        // Takes precedence over all other sources of flags, so that the configuration of the
        // machine does not affect the output.
        .env("CARGO_ENCODED_RUSTFLAGS", flags(package, toolchain, target))
        .stderr(Stdio::inherit());
    let messages =
        output(command).with_context(|| format!("cargo could not build `{}`", package.name))?;
    artifact(&String::from_utf8_lossy(&messages), &package.manifest)
        .with_context(|| format!("cargo built `{}`, but reported no .wasm file", package.name))
}

/// Finds the `.wasm` file of this package in cargo's messages.
pub(super) fn artifact(messages: &str, manifest: &Path) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter(|message| path(&message["manifest_path"]) == manifest)
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
        .map(|filename| path(&filename))
        .find(|filename| {
            filename
                .extension()
                .is_some_and(|extension| extension == "wasm")
        })
}

/// Returns the compiler flags in the format of `CARGO_ENCODED_RUSTFLAGS`.
fn flags(package: &Package, toolchain: &Toolchain, target: &str) -> OsString {
    let mut flags: Vec<OsString> = Vec::new();
    if target == super::DEFAULT_TARGET {
        flags.push(format!("-Clink-arg=-zstack-size={}", package.stack_bytes).into());
    }
    // A panic message contains the path of its source file. If two prefixes match, the compiler
    // uses the last one.
    for (from, to) in prefixes(package, toolchain) {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(&from);
        flag.push("=");
        flag.push(&to);
        flags.push(flag);
    }
    flags.join("\u{1f}".as_ref())
}

/// Returns every local folder that can appear in the output, with its replacement.
fn prefixes(package: &Package, toolchain: &Toolchain) -> Vec<(PathBuf, String)> {
    let mut prefixes = vec![
        (package.workspace_root.clone(), "/workspace".to_owned()),
        (package.target_directory.clone(), "/target".to_owned()),
    ];
    // The name of each folder below these contains the host of the registry, which differs for
    // mirrors.
    if let Some(home) = cargo_home() {
        for sources in ["registry/src", "git/checkouts"] {
            let folders = folders_in(&home.join(sources)).into_iter();
            prefixes.extend(folders.map(|folder| (folder, "/dependencies".to_owned())));
        }
    }
    let elsewhere = package.elsewhere.iter();
    prefixes.extend(elsewhere.map(|(name, folder)| (folder.clone(), format!("/{name}"))));

    let library = toolchain.sysroot.join("lib/rustlib/src/rust");
    let linked = library
        .canonicalize()
        .ok()
        .filter(|linked| *linked != library);
    for library in linked.into_iter().chain([library]) {
        prefixes.push((library, toolchain.library_sources.clone()));
    }
    prefixes
}

fn cargo_home() -> Option<PathBuf> {
    let set = env::var_os("CARGO_HOME").map(PathBuf::from);
    set.or_else(|| Some(env::home_dir()?.join(".cargo")))
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect();
    folders.sort_unstable();
    folders
}

fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder);
    command
}

fn is_about_the_lock_file(arg: &str) -> bool {
    ["--locked", "--offline", "--frozen"].contains(&arg)
}

fn output(mut command: Command) -> Result<Vec<u8>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{program}`; is Rust installed?"))?;
    if !output.status.success() {
        bail!(
            "`{program}` failed ({}); see its messages above",
            output.status
        );
    }
    Ok(output.stdout)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn path(value: &Value) -> PathBuf {
    text(value).into()
}
