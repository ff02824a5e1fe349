//! The declared requirements of a component, compared with the limits: sizes before compilation,
//! from its sections, and numbers after it, from the engine.
//!
//! A component that can never start is therefore refused with the number, and not with a trap or
//! with the first error of the engine.

use wasmtime::component::Component;
use wasmtime::wasmparser::{BinaryReaderError, ElementItems, Instance, Payload, TypeRef};

use super::error::LoadError;
use super::limits::Limits;

/// The page size unless a module declares another, as a power of two.
const PAGE: u32 = 16;

/// Maximum number of functions. Each takes the compiler about a tenth of a millisecond and a few
/// kilobytes, however short it is. The largest known toolchain produces 13,486.
const MAX_FUNCTIONS: u64 = 65_536;

/// Maximum number of functions in segments that fill tables. The engine keeps a list per sandbox,
/// used or not: 600,000 took a gigabyte. The largest known component has 7,694.
const MAX_LISTED: u64 = 65_536;

/// Maximum number of types, globals, imports, exports, aliases, instances and segments, which cost
/// the engine some hundred bytes each. The largest known number is 30,102, of Go.
const MAX_ITEMS: u64 = 262_144;

/// Totals over all modules of a component.
#[derive(Debug, Default)]
pub(super) struct Requirements {
    memory_bytes: u64,
    table_elements: u64,
    instances: u64,
    functions: u64,
    listed: u64,
    items: u64,
    /// Memories of the current module, and the maximum of all modules.
    memories_here: usize,
    memories_of_one: usize,
}

impl Requirements {
    /// Counts one section.
    pub(super) fn add(&mut self, section: Payload<'_>) -> Result<(), BinaryReaderError> {
        self.items += u64::from(items(&section));
        match section {
            Payload::FunctionSection(functions) => self.functions += u64::from(functions.count()),
            Payload::ElementSection(segments) => {
                for segment in segments {
                    self.listed += u64::from(match segment?.items {
                        ElementItems::Functions(functions) => functions.count(),
                        ElementItems::Expressions(_, functions) => functions.count(),
                    });
                }
            }
            Payload::Version { .. } => self.memories_here = 0,
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    if let TypeRef::Memory(_) = import?.ty {
                        self.count_memory();
                    }
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories {
                    let memory = memory?;
                    self.count_memory();
                    let page = 1_u64
                        .checked_shl(memory.page_size_log2.unwrap_or(PAGE))
                        .unwrap_or(u64::MAX);
                    let bytes = memory.initial.saturating_mul(page);
                    self.memory_bytes = self.memory_bytes.saturating_add(bytes);
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    let elements = table?.ty.initial;
                    self.table_elements = self.table_elements.saturating_add(elements);
                }
            }
            Payload::InstanceSection(instances) => {
                for instance in instances {
                    // The other kind only groups existing items.
                    if let Instance::Instantiate { .. } = instance? {
                        self.instances += 1;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn count_memory(&mut self) {
        self.memories_here += 1;
        self.memories_of_one = self.memories_of_one.max(self.memories_here);
    }

    /// Returns the initial memory in bytes.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// Checks the totals against the limits. Call it before compilation.
    pub(super) fn check(&self, limits: &Limits) -> Result<(), LoadError> {
        if self.memories_of_one > 1 {
            // The engine would accept it: its own adapter modules use the feature.
            return Err(LoadError::Compile {
                message: "one of its modules has multiple memories".to_owned(),
            });
        }
        within(
            self.memory_bytes,
            limits.memory_bytes,
            "bytes of memory at its start",
        )?;
        within(
            self.table_elements,
            limits.table_elements,
            "elements in its tables",
        )?;
        within(self.instances, limits.instances, "core instances")?;
        for (found, limit, what) in [
            (self.functions, MAX_FUNCTIONS, "functions"),
            (self.listed, MAX_LISTED, "functions listed for tables"),
            (
                self.items,
                MAX_ITEMS,
                "types, globals, imports, exports and segments",
            ),
        ] {
            within(found, usize::try_from(limit).unwrap_or(usize::MAX), what)?;
        }
        Ok(())
    }

    /// Checks the numbers of memories and tables of a compiled component. A module may be
    /// instantiated repeatedly, and only the engine knows how often.
    pub(super) fn check_compiled(component: &Component, limits: &Limits) -> Result<(), LoadError> {
        // `None` for a component that imports modules, which selectors do not receive.
        let Some(needs) = component.resources_required() else {
            return Ok(());
        };
        within(needs.num_memories.into(), limits.memories, "memories")?;
        within(needs.num_tables.into(), limits.tables, "tables")
    }
}

/// Returns the number of items of a section.
fn items(section: &Payload<'_>) -> u32 {
    match section {
        Payload::TypeSection(it) => it.count(),
        Payload::ImportSection(it) => it.count(),
        Payload::GlobalSection(it) => it.count(),
        Payload::ExportSection(it) => it.count(),
        Payload::ElementSection(it) => it.count(),
        Payload::DataSection(it) => it.count(),
        Payload::CoreTypeSection(it) => it.count(),
        Payload::InstanceSection(it) => it.count(),
        Payload::ComponentInstanceSection(it) => it.count(),
        Payload::ComponentAliasSection(it) => it.count(),
        Payload::ComponentTypeSection(it) => it.count(),
        Payload::ComponentCanonicalSection(it) => it.count(),
        Payload::ComponentImportSection(it) => it.count(),
        Payload::ComponentExportSection(it) => it.count(),
        _ => 0,
    }
}

fn within(found: u64, limit: usize, what: &str) -> Result<(), LoadError> {
    if found <= limit as u64 {
        return Ok(());
    }
    Err(LoadError::Declares {
        what: format!("{found} {what}"),
        limit: limit.to_string(),
    })
}
