//! The declarations of a file, read before compilation: whether it is a component, the contract
//! that it was built for, and its imports.
//!
//! Compilation may take seconds and reports types instead of versions. Reading the names takes
//! microseconds, and its errors can include the remedy.

use wasmtime::wasmparser::{BinaryReader, BinaryReaderError, Chunk, Parser, Payload};

use super::contract::{SELECTION, VERSION, is_runtime_context, same_line, unversioned, version};
use super::error::LoadError;
use super::limits::Limits;
use super::requirements::Requirements;

/// The WASI interfaces for guests whose language cannot start without them. They are empty and
/// return the same on every call.
const EMPTY_WORLD: [&str; 5] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
];

/// Maximum nesting of components. Toolchains nest two or three. The engine's time and memory grow
/// with the square of the depth.
const MAX_DEPTH: usize = 32;

/// Maximum size of one function in bytes. The largest known one, in a JavaScript engine, has 172
/// kB. The compiler's time and memory grow faster than linearly with the size of a function, and
/// linearly with the number of small functions.
const MAX_FUNCTION_BYTES: u32 = 1 << 20;

/// The imports and exports of a component by name.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
    /// The nesting of components, as far as it was read.
    depth: usize,
    /// The size of the largest function in bytes.
    function: u32,
    pub(super) declared: Requirements,
}

/// Returns the size of the largest of these functions, as far as they can be read. The validator
/// reports damaged ones.
fn largest_function(count: u32, code: &[u8]) -> u32 {
    let mut reader = BinaryReader::new(code, 0);
    let mut largest = 0;
    for _ in 0..count {
        let Ok(size) = reader.read_var_u32() else {
            break;
        };
        if reader.read_bytes(size as usize).is_err() {
            break;
        }
        largest = largest.max(size);
    }
    largest
}

impl Manifest {
    /// Reads and checks the declarations of a file.
    pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Self, LoadError> {
        if !bytes.starts_with(b"\0asm") {
            return Err(LoadError::NotWasm);
        }
        if Parser::is_core_wasm(bytes) {
            return Err(LoadError::CoreModule);
        }
        if !Parser::is_component(bytes) {
            return Err(LoadError::Malformed {
                message: "it has neither the header of a module nor that of a component".to_owned(),
            });
        }
        let manifest = Self::walk(bytes).map_err(|message| LoadError::Malformed { message })?;
        if manifest.depth > MAX_DEPTH {
            return Err(LoadError::Compile {
                message: format!("it nests components more than {MAX_DEPTH} deep"),
            });
        }
        if manifest.function > MAX_FUNCTION_BYTES {
            return Err(LoadError::Compile {
                message: format!(
                    "one of its functions has {} bytes of code and may have {MAX_FUNCTION_BYTES}",
                    manifest.function
                ),
            });
        }
        manifest.check_version()?;
        manifest.check_imports()?;
        manifest.declared.check(limits)?;
        Ok(manifest)
    }

    /// Reads the imports and exports of the outermost component, the nesting, and the declarations
    /// of all modules. Code is skipped.
    fn walk(bytes: &[u8]) -> Result<Self, String> {
        let malformed = |error: BinaryReaderError| error.to_string();
        let mut manifest = Self::default();
        let mut parser = Parser::new(0);
        let mut outer = Vec::new();
        let mut components = 0;
        let mut rest = bytes;
        loop {
            let Chunk::Parsed { consumed, payload } =
                parser.parse(rest, true).map_err(malformed)?
            else {
                // With all bytes available, the parser does not request more.
                return Ok(manifest);
            };
            rest = &rest[consumed..];
            match payload {
                Payload::ModuleSection { parser: inner, .. } => {
                    outer.push((std::mem::replace(&mut parser, inner), components));
                }
                Payload::ComponentSection { parser: inner, .. } => {
                    outer.push((std::mem::replace(&mut parser, inner), components));
                    components += 1;
                    manifest.depth = manifest.depth.max(components);
                    if manifest.depth > MAX_DEPTH {
                        return Ok(manifest);
                    }
                }
                Payload::CodeSectionStart { size, count, .. } => {
                    parser.skip_section();
                    let left = rest.len();
                    manifest.function = manifest.function.max(largest_function(count, rest));
                    rest = rest
                        .get(size as usize..)
                        .ok_or_else(|| format!("its code has {size} bytes, and {left} are left"))?;
                }
                Payload::ComponentImportSection(section) if outer.is_empty() => {
                    for import in section {
                        let import = import.map_err(malformed)?;
                        manifest.imports.push(import.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if outer.is_empty() => {
                    for export in section {
                        let export = export.map_err(malformed)?;
                        manifest.exports.push(export.name.name.to_owned());
                    }
                }
                Payload::End(_) => match outer.pop() {
                    Some((parent, depth)) => (parser, components) = (parent, depth),
                    None => return Ok(manifest),
                },
                section => manifest.declared.add(section).map_err(malformed)?,
            }
        }
    }

    /// Returns the full name of the exported selection. A component may support several versions of
    /// the contract: this host's comes first, then any.
    pub(super) fn selection(&self) -> Option<&str> {
        let selections = || {
            let names = self.exports.iter().map(String::as_str);
            names.filter(|name| unversioned(name) == SELECTION)
        };
        let ours = selections().find(|name| version(name).is_some_and(same_line));
        ours.or_else(|| selections().next())
    }

    fn check_version(&self) -> Result<(), LoadError> {
        let Some(selection) = self.selection() else {
            return Err(LoadError::NoSelection {
                exports: self.exports.clone(),
            });
        };
        // The import carries the same version as a rule, but toolchains omit it if it is unused.
        let context = self.imports.iter().map(String::as_str);
        let context = context.filter(|import| is_runtime_context(import));
        for name in [selection].into_iter().chain(context) {
            if !version(name).is_some_and(same_line) {
                return Err(LoadError::OtherVersion {
                    found: version(name).unwrap_or("no version").to_owned(),
                    host: VERSION,
                });
            }
        }
        Ok(())
    }

    fn check_imports(&self) -> Result<(), LoadError> {
        for import in &self.imports {
            let given = is_runtime_context(import)
                || (EMPTY_WORLD.iter().any(|world| import.starts_with(world))
                    && version(import).is_some_and(|version| version.starts_with("0.2.")));
            if !given {
                return Err(LoadError::Import {
                    name: import.clone(),
                });
            }
        }
        Ok(())
    }
}
