//! A bump allocator for selectors that starts small and grows on demand.
//!
//! This is the only module of the crate that may use `unsafe`. Its safety rests on
//! these invariants:
//!
//! - A block lies either in `memory`, so its offset from `base` is at most `BYTES`,
//!   or in pages that `grow` returned, between the offsets `start` and `limit` of
//!   that time. Only `place` and `resize` raise `top`, and they first check the new
//!   end against the end of the region of the block.
//! - `grow` returns memory that no other code uses and that stays valid forever: on
//!   WebAssembly, pages added by `memory.grow`. No later call returns it again.
//! - Live blocks never overlap. Within the region that `top` points into, they end at
//!   or below `top`, and a new block starts at or above it. `top` changes to the other
//!   region only from `memory` to pages without live blocks, or to 0 when no block is
//!   live. Otherwise it decreases only to the start of the last block when that block
//!   is freed, or to its new end when it shrinks.
//! - An arena is never shared between threads. It is `Sync` only on WebAssembly
//!   without threads.

#![allow(unsafe_code)]

use std::alloc::Layout;
use std::cell::{Cell, UnsafeCell};
use std::ptr;

/// The size of a selector's arena before it grows: 32 KiB.
///
/// Together with 16 KiB of stack and the constants of an ordinary selector it fits
/// into one page of 64 KiB, the smallest possible memory. A selector seldom reads
/// more than a few hundred bytes of a runtime context, and each block is freed when
/// its owner drops it.
pub const ARENA_BYTES: usize = 32 * 1024;

/// A global allocator of `BYTES` bytes that grows the memory of the module when they are
/// used up.
///
/// [`export!`](crate::export) installs it on `wasm32-unknown-unknown`.
///
/// Blocks are allocated in sequence. Freeing the last block returns its bytes, and the
/// last block can grow in place. Other freed bytes stay allocated until no block is
/// live; then the whole arena is free again, so a stateful instance does not run out
/// of memory. Long lists of names and large values exceed `BYTES`; the arena then adds
/// pages and keeps them for later decisions. The host limits the memory of a selector; a
/// decision that needs more ends with a trap.
///
/// # Cost
///
/// A few instructions per call. The arena adds no bytes to the file because its memory
/// is initially zero.
#[repr(C, align(16))]
pub struct Arena<const BYTES: usize> {
    memory: UnsafeCell<[u8; BYTES]>,
    /// Offset of the first free byte.
    top: Cell<usize>,
    /// Number of blocks that are allocated and not yet freed.
    live: Cell<usize>,
    /// Offset of the first added byte; equal to `limit` before the arena grows.
    start: Cell<usize>,
    /// Offset of the end of the added bytes.
    limit: Cell<usize>,
}

/// The unit in which the memory of a WebAssembly module grows.
const PAGE: usize = 64 * 1024;

/// Adds pages to the memory of the module and returns the address of the first.
#[cfg(target_family = "wasm")]
fn grow(pages: usize) -> Option<usize> {
    let before = core::arch::wasm32::memory_grow(0, pages);
    (before != usize::MAX).then(|| before * PAGE)
}

#[cfg(all(not(target_family = "wasm"), not(test)))]
fn grow(_pages: usize) -> Option<usize> {
    None
}

#[cfg(all(not(target_family = "wasm"), test))]
use tests::grow;

// SAFETY: without the `atomics` feature a WebAssembly module has a single thread, so
// no value is ever shared between threads.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
unsafe impl<const BYTES: usize> Sync for Arena<BYTES> {}

// SAFETY: the functions below return blocks that fit the layout, are inside the arena
// and do not overlap, by the invariants in the module documentation.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
unsafe impl<const BYTES: usize> std::alloc::GlobalAlloc for Arena<BYTES> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.allocate(layout)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the contract of `release`.
        unsafe { self.release(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller upholds the contract of `resize`.
        unsafe { self.resize(block, layout, size) }
    }
}

// Native builds use these functions only in tests.
#[cfg_attr(not(target_family = "wasm"), allow(dead_code))]
impl<const BYTES: usize> Arena<BYTES> {
    /// Creates an empty arena.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "arenas are only created in statics"
    )]
    pub const fn new() -> Self {
        Self {
            memory: UnsafeCell::new([0; BYTES]),
            top: Cell::new(0),
            live: Cell::new(0),
            start: Cell::new(0),
            limit: Cell::new(0),
        }
    }

    fn base(&self) -> *mut u8 {
        self.memory.get().cast()
    }

    /// Returns a block for this layout, or null if the memory cannot grow.
    fn allocate(&self, layout: Layout) -> *mut u8 {
        match self.place(self.top.get(), BYTES, layout) {
            Some(offset) => self.base().wrapping_add(offset),
            None => self.allocate_added(layout),
        }
    }

    /// Returns a block outside `memory`, which has too little space left.
    #[cold]
    #[inline(never)]
    fn allocate_added(&self, layout: Layout) -> *mut u8 {
        let from = if self.top.get() > BYTES {
            self.top.get()
        } else {
            self.start.get()
        };
        let block = self
            .place(from, self.limit.get(), layout)
            .or_else(|| self.place(self.extend(from, layout)?, self.limit.get(), layout));
        block.map_or(ptr::null_mut(), |offset| {
            ptr::with_exposed_provenance_mut(self.base().addr().wrapping_add(offset))
        })
    }

    /// Adds pages for this layout and returns the offset of the first free added byte.
    fn extend(&self, from: usize, layout: Layout) -> Option<usize> {
        let pages = layout.size().checked_add(layout.align())?.div_ceil(PAGE);
        let added = grow(pages)?.wrapping_sub(self.base().addr());
        let adjacent = added == self.limit.get();
        if !adjacent {
            self.start.set(added);
        }
        self.limit.set(added.wrapping_add(pages * PAGE));
        Some(if adjacent { from } else { added })
    }

    /// Takes a block between two offsets and returns its offset.
    #[inline(always)]
    fn place(&self, from: usize, limit: usize, layout: Layout) -> Option<usize> {
        // Align the address, not the offset: a layout may require a larger alignment
        // than that of the arena.
        let unaligned = self.base().addr().wrapping_add(from);
        let padding = unaligned.wrapping_neg() & (layout.align() - 1);
        let start = from.checked_add(padding)?;
        let end = start.checked_add(layout.size())?;
        if end > limit {
            return None;
        }
        self.top.set(end);
        self.live.set(self.live.get() + 1);
        Some(start)
    }

    /// Frees a block.
    ///
    /// # Safety
    ///
    /// `block` must have been allocated by this arena for `layout` and must be live.
    unsafe fn release(&self, block: *mut u8, layout: Layout) {
        let live = self.live.get() - 1;
        self.live.set(live);
        if live == 0 {
            self.top.set(0);
        } else if self.is_last(block, layout) {
            self.top.set(self.offset(block));
        }
    }

    /// Resizes a block and moves it only if necessary.
    ///
    /// Returns null if the memory cannot grow; the old block then stays live.
    ///
    /// # Safety
    ///
    /// `block` must have been allocated by this arena for `layout` and must be live.
    unsafe fn resize(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if self.is_last(block, layout) {
            let start = self.offset(block);
            let limit = if start < BYTES {
                BYTES
            } else {
                self.limit.get()
            };
            if let Some(end) = start.checked_add(size).filter(|end| *end <= limit) {
                self.top.set(end);
                return block;
            }
        }
        if size <= layout.size() {
            return block;
        }
        let Ok(wanted) = Layout::from_size_align(size, layout.align()) else {
            return ptr::null_mut();
        };
        let moved = self.allocate(wanted);
        if !moved.is_null() {
            // SAFETY: both blocks are live and do not overlap, and the old block is
            // smaller than the new one.
            unsafe {
                ptr::copy_nonoverlapping(block, moved, layout.size());
                self.release(block, layout);
            }
        }
        moved
    }

    fn offset(&self, block: *mut u8) -> usize {
        block.addr().wrapping_sub(self.base().addr())
    }

    fn is_last(&self, block: *mut u8, layout: Layout) -> bool {
        self.offset(block).wrapping_add(layout.size()) == self.top.get()
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

    thread_local! {
        /// Address and number of the pages that `grow` may still return in this test.
        static PAGES: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
    }

    /// Returns pages in sequence, as `memory.grow` does.
    pub(super) fn grow(pages: usize) -> Option<usize> {
        let (address, left) = PAGES.get();
        let left = left.checked_sub(pages)?;
        PAGES.set((address + pages * PAGE, left));
        Some(address)
    }

    /// Provides pages to `grow`. They must outlive the blocks in them.
    #[must_use]
    fn provide_pages(pages: usize) -> Vec<u8> {
        let mut memory = vec![0_u8; pages * PAGE];
        PAGES.set((memory.as_mut_ptr().expose_provenance(), pages));
        memory
    }

    #[test]
    fn arena_grows_when_it_is_full_and_reuses_its_pages() {
        let _pages = provide_pages(4);
        let arena = Arena::<64>::new();
        for _ in 0..100 {
            let small = arena.allocate(layout(40, 1));
            let large = arena.allocate(layout(3 * PAGE - 64, 16));
            let third = arena.allocate(layout(40, 1));
            assert!(!small.is_null() && !large.is_null() && !third.is_null());
            // SAFETY: all are live and have this layout.
            unsafe {
                small.write_bytes(1, 40);
                large.write_bytes(2, 3 * PAGE - 64);
                third.write_bytes(3, 40);
                assert_eq!(small.read(), 1);
                arena.release(small, layout(40, 1));
                arena.release(large, layout(3 * PAGE - 64, 16));
                arena.release(third, layout(40, 1));
            }
        }
        assert!(arena.allocate(layout(5 * PAGE, 1)).is_null());
        assert!(!arena.allocate(layout(64, 1)).is_null());
    }

    #[test]
    fn block_moves_with_its_bytes_when_it_outgrows_the_first_bytes() {
        let _pages = provide_pages(4);
        let arena = Arena::<64>::new();
        let block = arena.allocate(layout(4, 1));
        // SAFETY: the block is live and has the layout passed to each call.
        unsafe {
            block.copy_from(b"abcd".as_ptr(), 4);
            let moved = arena.resize(block, layout(4, 1), PAGE);
            assert_eq!(std::slice::from_raw_parts(moved, 4), b"abcd");
            assert_eq!(arena.resize(moved, layout(PAGE, 1), 10), moved);
        }
    }

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn blocks_are_sequential_and_aligned() {
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
    fn full_arena_returns_null_and_stays_usable() {
        let arena = Arena::<64>::new();
        let block = arena.allocate(layout(60, 1));
        assert!(!block.is_null());
        assert!(arena.allocate(layout(5, 1)).is_null());
        assert!(arena.allocate(layout(isize::MAX as usize, 1)).is_null());
        assert!(!arena.allocate(layout(4, 1)).is_null());
    }

    #[test]
    fn last_block_returns_its_bytes_when_freed() {
        let arena = Arena::<64>::new();
        arena.allocate(layout(16, 1));
        let last = arena.allocate(layout(48, 1));
        // SAFETY: `last` is live and has this layout.
        unsafe { arena.release(last, layout(48, 1)) };
        assert_eq!(arena.allocate(layout(48, 1)), last);
    }

    #[test]
    fn arena_is_empty_when_no_block_is_live() {
        let arena = Arena::<64>::new();
        for _ in 0..100 {
            let first = arena.allocate(layout(30, 1));
            let second = arena.allocate(layout(30, 1));
            assert!(!first.is_null() && !second.is_null());
            // Oldest first, so that the first block is not the last one when it is freed.
            // SAFETY: both are live and have this layout.
            unsafe {
                arena.release(first, layout(30, 1));
                arena.release(second, layout(30, 1));
            }
        }
    }

    #[test]
    fn last_block_grows_and_shrinks_in_place() {
        let arena = Arena::<64>::new();
        arena.allocate(layout(8, 1));
        let block = arena.allocate(layout(8, 1));
        // SAFETY: `block` is live and has the layout passed to each call.
        unsafe {
            assert_eq!(arena.resize(block, layout(8, 1), 56), block);
            assert!(arena.resize(block, layout(56, 1), 57).is_null());
            assert_eq!(arena.resize(block, layout(56, 1), 8), block);
        }
        assert!(!arena.allocate(layout(48, 1)).is_null());
    }

    #[test]
    fn inner_block_moves_with_its_bytes_when_it_grows() {
        let arena = Arena::<64>::new();
        let block = arena.allocate(layout(4, 1));
        let neighbour = arena.allocate(layout(4, 1));
        // SAFETY: both are live and have this layout; each access is in bounds.
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

    /// Compares random operations with a simple model: every live block keeps its bytes.
    #[test]
    fn live_blocks_never_overlap() {
        let _pages = provide_pages(1);
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
