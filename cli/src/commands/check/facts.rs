//! What a component's file says of itself, to be read without running it.

use anyhow::Result;
use wasmparser::{Parser, Payload};

/// The size of a page of memory in bytes, unless the module says otherwise.
const PAGE: u64 = 1 << 16;

/// How the export of a selector begins, before its version.
const EXPORT: &str = "spanmux:selector/selection@";

/// The facts of one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// The version of the contract that it was built for.
    pub(super) contract: Option<String>,
    /// The memory that all of its modules start with, in bytes.
    pub(super) memory_bytes: u64,
    /// Whether one of its memories may grow.
    pub(super) grows: bool,
}

impl Facts {
    /// Reads the facts of a component.
    ///
    /// # Errors
    /// If it is none.
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
    fn inner_modules_count_and_the_version_is_the_exports() {
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
