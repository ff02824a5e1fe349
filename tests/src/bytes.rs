//! Components that are assembled from others byte by byte.

use crate::{component, text};

/// Inserts text into the core module of the smallest selector.
///
/// # Panics
/// If the result is not a module.
pub fn console_with(more: &str) -> Vec<u8> {
    let place = "(memory (export \"memory\") 1)";
    let console = text("guests", "console");
    assert!(console.contains(place));
    component(&console.replace(place, &format!("{place}\n{more}")))
}

/// Returns a component that contains another one, and so on.
pub fn nested(depth: usize) -> Vec<u8> {
    const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
    // From the inside out and backwards, so that each level costs only its own bytes.
    let mut backwards: Vec<u8> = HEADER.iter().rev().copied().collect();
    for _ in 0..depth {
        let mut head = HEADER.to_vec();
        head.push(4);
        leb(&mut head, backwards.len());
        backwards.extend(head.iter().rev());
    }
    backwards.reverse();
    backwards
}

/// Writes a number in LEB128.
pub fn leb(file: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        file.push(number as u8 | 0x80);
        number >>= 7;
    }
    file.push(number as u8);
}
