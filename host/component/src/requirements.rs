//! What a component declares that it needs, held against the limits: sizes as its
//! sections have them, before it is compiled, and numbers as the engine has them.
//!
//! So one that can never start is refused with the number, and not with a trap or
//! with whatever the engine says first.

use wasmtime::component::Component;
use wasmtime::wasmparser::{BinaryReaderError, ElementItems, Instance, Payload, TypeRef};

use super::error::LoadError;
use super::limits::Limits;

/// The size of a page unless a module says otherwise, as a power of two.
const PAGE: u32 = 16;

/// Functions. Each takes the compiler some tenth of a millisecond and a few kilobytes,
/// however short it is; the largest toolchain we know of makes 13,486.
const MAX_FUNCTIONS: u64 = 65_536;

/// Functions that segments list to fill tables with. The engine keeps a list for each
/// sandbox, used or not: 600,000 took a gigabyte. The largest we know of has 7,694.
const MAX_LISTED: u64 = 65_536;

/// Types, globals, imports, exports, aliases, instances and segments: what costs the
/// engine some hundred bytes each. The most that we know of are 30,102, of Go's.
const MAX_ITEMS: u64 = 262_144;

/// Sums over all modules of a component.
#[derive(Debug, Default)]
pub(super) struct Requirements {
    memory_bytes: u64,
    table_elements: u64,
    instances: u64,
    functions: u64,
    listed: u64,
    items: u64,
    /// Memories of the module that is read now, and the most of any.
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
                    // The other kind only gathers what is there already.
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

    /// The bytes of memory that it starts with.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// That all of it is within the limits. To be asked before it is compiled.
    pub(super) fn check(&self, limits: &Limits) -> Result<(), LoadError> {
        if self.memories_of_one > 1 {
            // The engine would take it: it joins components by such modules itself.
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

    /// That a compiled component has no more memories and tables than the limits
    /// allow. A module may be instantiated more than once, and only the engine
    /// knows how often.
    pub(super) fn check_compiled(component: &Component, limits: &Limits) -> Result<(), LoadError> {
        // None for a component that takes modules from its imports, and a
        // selector is given none.
        let Some(needs) = component.resources_required() else {
            return Ok(());
        };
        within(needs.num_memories.into(), limits.memories, "memories")?;
        within(needs.num_tables.into(), limits.tables, "tables")
    }
}

/// What a section has of things that are only many.
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
