//! Converts the output of a compiler into the final component.

use anyhow::{Context as _, Result, bail};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{Component, MemorySection, Module, RawSection};
use wasmparser::{Encoding, Operator, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::system::{self, SYSTEM};

/// The name of a selector's export, without the version.
const EXPORT: &str = "spanmux:selector/selection@";

/// The prefix of the custom sections in which bindings describe their world for the encoder.
const WORLD: &str = "component-type";

/// The contract, used for modules that do not describe their world.
const CONTRACT: &str = include_str!("../../wit/selector.wit");

/// Returns the component for the output of a build. A core module is converted; a component is
/// returned unchanged. `adapter` is the project's own module that implements the system
/// interface.
pub(super) fn from_build(bytes: &[u8], adapter: Option<&[u8]>) -> Result<Vec<u8>> {
    let is_component = Parser::is_component(bytes);
    if !exports_selection(bytes)? {
        bail!(
            "it has no export `{EXPORT}…`; export the interface `selection` of wit/selector.wit \
             (in Rust: `spanmux_guest::export!(select)` at the top of the crate)"
        );
    }
    if is_component {
        return Ok(bytes.to_vec());
    }
    let mut module = slim(bytes)?;
    if !describes_its_world(&module)? {
        describe_world(&mut module)?;
    }
    let adapter = match adapter {
        Some(own) => Some(own.to_vec()),
        None => system::adapter(&module)?,
    };
    let component =
        encode(&module, adapter.as_deref()).context("the module cannot become a component")?;
    without_names(&component)
}

fn encode(module: &[u8], adapter: Option<&[u8]>) -> Result<Vec<u8>> {
    let mut encoder = ComponentEncoder::default().validate(true).module(module)?;
    if let Some(adapter) = adapter {
        encoder = encoder.adapter(SYSTEM, adapter)?;
    }
    encoder.encode()
}

fn describes_its_world(module: &[u8]) -> Result<bool> {
    for payload in Parser::new(0).parse_all(module) {
        if matches!(payload?, Payload::CustomSection(custom) if custom.name().starts_with(WORLD)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Adds the description of the contract's world to a module.
fn describe_world(module: &mut Vec<u8>) -> Result<()> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("selector.wit", CONTRACT)?;
    let world = resolve.select_world(&[package], Some("selector"))?;
    embed_component_metadata(module, &resolve, world, StringEncoding::UTF8)
}

/// Returns `true` if a module or component exports the interface in any version. The host decides
/// which versions it accepts.
fn exports_selection(bytes: &[u8]) -> Result<bool> {
    for payload in Parser::new(0).parse_all(bytes) {
        let found = match payload.context("it is not WebAssembly")? {
            Payload::ExportSection(exports) => exports
                .into_iter()
                .flatten()
                .any(|export| export.name.starts_with(EXPORT)),
            Payload::ComponentExportSection(exports) => exports
                .into_iter()
                .flatten()
                .any(|export| export.name.name.starts_with(EXPORT)),
            _ => false,
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes the custom sections for debuggers. If no instruction grows the memory, its maximum is
/// set to its initial size, so that a host does not have to reserve space behind it.
pub(super) fn slim(bytes: &[u8]) -> Result<Vec<u8>> {
    let grows = grows_memory(bytes)?;
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::CustomSection(custom) if !custom.name().starts_with(WORLD) => {}
            Payload::MemorySection(memories) if !grows => {
                let mut fixed = MemorySection::new();
                for memory in memories {
                    let mut memory = RoundtripReencoder.memory_type(memory?)?;
                    memory.maximum = Some(memory.minimum);
                    fixed.memory(memory);
                }
                module.section(&fixed);
            }
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    module.section(&RawSection {
                        id,
                        data: &bytes[range],
                    });
                }
            }
        }
    }
    Ok(module.finish())
}

fn grows_memory(bytes: &[u8]) -> Result<bool> {
    for payload in Parser::new(0).parse_all(bytes) {
        if let Payload::CodeSectionEntry(function) = payload? {
            for operator in function.get_operators_reader()? {
                if matches!(operator?, Operator::MemoryGrow { .. }) {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}

/// Removes the names that the encoder gives to the inner parts of a component.
pub(super) fn without_names(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut component = Component::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        match &payload {
            // An inner module is copied as a whole, but the parser continues with its parts.
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                if depth == 0 {
                    copy_section(&mut component, &payload, bytes);
                }
                depth += 1;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::Version {
                encoding: Encoding::Module | Encoding::Component,
                ..
            } => {}
            Payload::CustomSection(_) => {}
            _ if depth == 0 => copy_section(&mut component, &payload, bytes),
            _ => {}
        }
    }
    Ok(component.finish())
}

fn copy_section(component: &mut Component, payload: &Payload<'_>, bytes: &[u8]) {
    if let Some((id, range)) = payload.as_section() {
        component.section(&RawSection {
            id,
            data: &bytes[range],
        });
    }
}
