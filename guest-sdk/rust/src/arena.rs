//! The allocator of a selector: a block of fixed size that is filled from its
//! start.
//!
//! The only module of this crate that may use `unsafe`. What it rests on:
//!
//! - Every offset is at most `BYTES`, and `allocate` is the only place that
//!   raises `top`, after it has checked the new end against `BYTES`. So every
//!   pointer that is handed out lies inside `memory`.
//! - Live blocks lie below `top` and never overlap: a new one starts at or above
//!   `top`, and `top` falls only to the start of the last block when that one is
//!   given back, or to 0 when no block is live.
//! - An arena is shared between threads nowhere: it is `Sync` only where
//!   WebAssembly has no threads.

#![allow(unsafe_code)]

use std::alloc::Layout;
use std::cell::{Cell, UnsafeCell};
use std::ptr;

/// The bytes that a selector can allocate from unless it asks for another number.
///
/// With 16 KiB of stack and the constants of an ordinary selector, everything
/// fits into one page of 64 KiB, the least that a memory can have. What is read
/// of a runtime context is seldom more than a few hundred bytes, and each block
/// is given back when its owner drops it.
pub const ARENA_BYTES: usize = 32 * 1024;

/// A global allocator that has `BYTES` bytes and never grows the memory of the
/// module; installed by [`export!`](crate::export) on `wasm32-unknown-unknown`.
///
/// Blocks are taken one after the other. The last block gives its bytes back when
/// it is freed, and grows in place; when no block is live, the whole arena is
/// free again, so that an instance that is kept keeps working. Other freed bytes
/// stay taken until then. A full arena ends the decision with a trap.
///
/// # Cost
///
/// A few instructions for each call. In the file it costs nothing: the bytes are
/// zero at the start.
#[repr(C, align(16))]
pub struct Arena<const BYTES: usize> {
    memory: UnsafeCell<[u8; BYTES]>,
    /// The offset of the first byte that is free.
    top: Cell<usize>,
    /// How many blocks have been handed out and not given back.
    live: Cell<usize>,
}

// SAFETY: without the `atomics` feature a WebAssembly module has one thread, so
// nothing is ever shared between two.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
unsafe impl<const BYTES: usize> Sync for Arena<BYTES> {}

// SAFETY: the functions below hand out blocks that fit the layout, lie inside
// the arena and do not overlap, as the head of this module argues.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
unsafe impl<const BYTES: usize> std::alloc::GlobalAlloc for Arena<BYTES> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.allocate(layout)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller promises what `release` asks for.
        unsafe { self.release(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises what `resize` asks for.
        unsafe { self.resize(block, layout, size) }
    }
}

// Of these functions native builds use none outside the tests.
#[cfg_attr(not(target_family = "wasm"), allow(dead_code))]
impl<const BYTES: usize> Arena<BYTES> {
    /// An arena with no block taken.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it is made in a static")]
    pub const fn new() -> Self {
        Self {
            memory: UnsafeCell::new([0; BYTES]),
            top: Cell::new(0),
            live: Cell::new(0),
        }
    }

    fn base(&self) -> *mut u8 {
        self.memory.get().cast()
    }

    /// A block for this layout, or null if the arena is full.
    fn allocate(&self, layout: Layout) -> *mut u8 {
        // Aligned by address and not by offset: a layout may ask for more than
        // the arena's own alignment.
        let unaligned = self.base().wrapping_add(self.top.get());
        let padding = unaligned.addr().wrapping_neg() & (layout.align() - 1);
        let end = self
            .top
            .get()
            .checked_add(padding)
            .and_then(|start| start.checked_add(layout.size()));
        match end {
            Some(end) if end <= BYTES => {
                self.top.set(end);
                self.live.set(self.live.get() + 1);
                unaligned.wrapping_add(padding)
            }
            _ => ptr::null_mut(),
        }
    }

    /// Gives a block back.
    ///
    /// # Safety
    ///
    /// `block` was handed out by this arena for `layout` and is live.
    unsafe fn release(&self, block: *mut u8, layout: Layout) {
        let live = self.live.get() - 1;
        self.live.set(live);
        if live == 0 {
            self.top.set(0);
        } else if self.is_last(block, layout) {
            self.top.set(self.offset(block));
        }
    }

    /// The block with another size, moved only if it must be; null if the arena
    /// is full, and then the old block stays live.
    ///
    /// # Safety
    ///
    /// `block` was handed out by this arena for `layout` and is live.
    unsafe fn resize(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if self.is_last(block, layout) {
            let start = self.offset(block);
            return match start.checked_add(size) {
                Some(end) if end <= BYTES => {
                    self.top.set(end);
                    block
                }
                _ => ptr::null_mut(),
            };
        }
        if size <= layout.size() {
            return block;
        }
        let Ok(wanted) = Layout::from_size_align(size, layout.align()) else {
            return ptr::null_mut();
        };
        let moved = self.allocate(wanted);
        if !moved.is_null() {
            // SAFETY: both blocks are live and do not overlap, and the old one
            // has fewer bytes than the new one.
            unsafe {
                ptr::copy_nonoverlapping(block, moved, layout.size());
                self.release(block, layout);
            }
        }
        moved
    }

    fn offset(&self, block: *mut u8) -> usize {
        block.addr() - self.base().addr()
    }

    fn is_last(&self, block: *mut u8, layout: Layout) -> bool {
        self.offset(block) + layout.size() == self.top.get()
    }
}

impl<const BYTES: usize> std::fmt::Debug for Arena<BYTES> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Arena")
            .field("bytes", &BYTES)
            .field("taken", &self.top)
            .field("live", &self.live)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn blocks_follow_each_other_aligned() {
        let arena = Arena::<256>::new();
        let first = arena.allocate(layout(3, 1));
        for align in [1, 2, 4, 8, 16, 64] {
            let block = arena.allocate(layout(5, align));
            assert!(!block.is_null());
            assert_eq!(block.addr() % align, 0, "alignment {align}");
            assert!(block.addr() >= first.addr() + 3);
        }
    }

    #[test]
    fn a_full_arena_gives_null_and_stays_usable() {
        let arena = Arena::<64>::new();
        let block = arena.allocate(layout(60, 1));
        assert!(!block.is_null());
        assert!(arena.allocate(layout(5, 1)).is_null());
        assert!(arena.allocate(layout(isize::MAX as usize, 1)).is_null());
        assert!(!arena.allocate(layout(4, 1)).is_null());
    }

    #[test]
    fn the_last_block_gives_its_bytes_back() {
        let arena = Arena::<64>::new();
        arena.allocate(layout(16, 1));
        let last = arena.allocate(layout(48, 1));
        // SAFETY: `last` is live and has this layout.
        unsafe { arena.release(last, layout(48, 1)) };
        assert_eq!(arena.allocate(layout(48, 1)), last);
    }

    #[test]
    fn with_no_live_block_the_whole_arena_is_free() {
        let arena = Arena::<64>::new();
        for _ in 0..100 {
            let first = arena.allocate(layout(30, 1));
            let second = arena.allocate(layout(30, 1));
            assert!(!first.is_null() && !second.is_null());
            // Oldest first, so that neither is the last block when it goes.
            // SAFETY: both are live and have this layout.
            unsafe {
                arena.release(first, layout(30, 1));
                arena.release(second, layout(30, 1));
            }
        }
    }

    #[test]
    fn the_last_block_grows_and_shrinks_in_place() {
        let arena = Arena::<64>::new();
        arena.allocate(layout(8, 1));
        let block = arena.allocate(layout(8, 1));
        // SAFETY: `block` is live and has the layout that is given each time.
        unsafe {
            assert_eq!(arena.resize(block, layout(8, 1), 56), block);
            assert!(arena.resize(block, layout(56, 1), 57).is_null());
            assert_eq!(arena.resize(block, layout(56, 1), 8), block);
        }
        assert!(!arena.allocate(layout(48, 1)).is_null());
    }

    #[test]
    fn another_block_moves_with_its_bytes_when_it_grows() {
        let arena = Arena::<64>::new();
        let block = arena.allocate(layout(4, 1));
        let neighbour = arena.allocate(layout(4, 1));
        // SAFETY: both are live and have this layout; each access stays inside.
        unsafe {
            block.copy_from(b"abcd".as_ptr(), 4);
            neighbour.copy_from(b"wxyz".as_ptr(), 4);
            assert_eq!(arena.resize(block, layout(4, 1), 2), block);
            let moved = arena.resize(block, layout(4, 1), 8);
            assert!(moved.addr() >= neighbour.addr() + 4);
            assert_eq!(std::slice::from_raw_parts(moved, 4), b"abcd");
            assert_eq!(std::slice::from_raw_parts(neighbour, 4), b"wxyz");
        }
    }

    /// Random work against a plain model: every live block keeps its bytes.
    #[test]
    fn live_blocks_never_overlap() {
        let arena = Arena::<4096>::new();
        let mut live: Vec<(*mut u8, Layout, u8)> = Vec::new();
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = |below: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % below as u64).unwrap()
        };
        for step in 0..20_000 {
            let fill = u8::try_from(step % 251).unwrap();
            match next(3) {
                0 => {
                    let layout = layout(1 + next(200), 1 << next(5));
                    let block = arena.allocate(layout);
                    if !block.is_null() {
                        // SAFETY: the block has `size` bytes.
                        unsafe { block.write_bytes(fill, layout.size()) };
                        live.push((block, layout, fill));
                    }
                }
                1 if !live.is_empty() => {
                    let (block, layout, _) = live.swap_remove(next(live.len()));
                    // SAFETY: the block is live and has this layout.
                    unsafe { arena.release(block, layout) };
                }
                2 if !live.is_empty() => {
                    let index = next(live.len());
                    let (block, old, _) = live[index];
                    let size = 1 + next(200);
                    // SAFETY: the block is live and has this layout.
                    let moved = unsafe { arena.resize(block, old, size) };
                    if !moved.is_null() {
                        // SAFETY: the block has `size` bytes.
                        unsafe { moved.write_bytes(fill, size) };
                        live[index] = (moved, layout(size, old.align()), fill);
                    }
                }
                _ => {}
            }
            for (block, layout, fill) in &live {
                assert_eq!(block.addr() % layout.align(), 0);
                // SAFETY: the block is live and has `size` bytes.
                let bytes = unsafe { std::slice::from_raw_parts(*block, layout.size()) };
                assert!(bytes.iter().all(|byte| byte == fill), "step {step}");
            }
        }
    }
}
