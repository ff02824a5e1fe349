//! Properties of a component that are read from its file without running it.

use anyhow::Result;
use wasmparser::{Parser, Payload};

/// The default size of a memory page in bytes.
const PAGE: u64 = 1 << 16;

/// The name of a selector's export, without the version.
const EXPORT: &str = "spanmux:selector/selection@";

/// The facts of one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// The contract version for which it was built.
    pub(super) contract: Option<String>,
    /// The initial memory of all its modules in bytes.
    pub(super) memory_bytes: u64,
    /// `true` if one of its memories can grow.
    pub(super) grows: bool,
}

impl Facts {
    /// Reads the facts of a component.
    ///
    /// # Errors
    /// Returns an error if the bytes are not a component.
    pub(super) fn read(component: &[u8]) -> Result<Self> {
        let mut facts = Self::default();
        for payload in Parser::new(0).parse_all(component) {
            match payload? {
                Payload::ComponentExportSection(exports) => {
                    for export in exports {
                        let name = export?.name.name;
                        let version = name.strip_prefix(EXPORT).map(str::to_owned);
                        facts.contract = facts.contract.or(version);
                    }
                }
                Payload::MemorySection(memories) => {
                    for memory in memories {
                        let memory = memory?;
                        let page = memory.page_size_log2.map_or(PAGE, |log2| 1 << log2.min(16));
                        facts.memory_bytes += memory.initial.saturating_mul(page);
                        facts.grows |= memory.maximum != Some(memory.initial);
                    }
                }
                _ => {}
            }
        }
        Ok(facts)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn read_sums_memory_of_inner_modules_and_finds_version() {
        let component = wat::parse_str(
            r#"(component
                 (core module (memory 2 2))
                 (core module (memory 1))
                 (component $c) (instance $i (instantiate $c))
                 (export "spanmux:selector/selection@0.1.7" (instance $i)))"#,
        )
        .unwrap();
        let expected = Facts {
            contract: Some("0.1.7".to_owned()),
            memory_bytes: 3 << 16,
            grows: true,
        };
        assert_eq!(Facts::read(&component).unwrap(), expected);
        assert!(Facts::read(b"no").is_err());
    }
}
