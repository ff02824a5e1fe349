//! Counts the allocations of the current thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system allocator with per-thread counts, so that threads do not share a counter.
pub struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

// An ending thread may allocate after its cells are destroyed. Such allocations are not counted.
fn count(bytes: usize) {
    let _ = COUNT.try_with(|cell| cell.set(cell.get() + 1));
    let _ = BYTES.try_with(|cell| cell.set(cell.get() + bytes as u64));
    live(bytes as i64);
}

fn live(bytes: i64) {
    let _ = LIVE.try_with(|cell| cell.set(cell.get() + bytes));
}

// SAFETY: every call is forwarded unchanged to the system allocator. Counting allocates nothing,
// because the cells are initialised without code and have no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        live(-(layout.size() as i64));
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        live(-(layout.size() as i64));
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Allocations on the host's side.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Allocations {
    pub count: f64,
    pub bytes: f64,
}

/// The mean allocations of `times` calls of `run` on this thread.
pub fn per_call(times: u32, mut run: impl FnMut()) -> Allocations {
    let before = (COUNT.get(), BYTES.get());
    for _ in 0..times {
        run();
    }
    let mean = |total: u64| total as f64 / f64::from(times);
    Allocations {
        count: mean(COUNT.get() - before.0),
        bytes: mean(BYTES.get() - before.1),
    }
}

/// The growth of this thread's live allocations in bytes during `run`.
pub fn growth<T>(run: impl FnOnce() -> T) -> (i64, T) {
    let before = LIVE.get();
    let result = run();
    (LIVE.get() - before, result)
}

/// Returns freed memory to the system, so that it does not hide later growth.
pub fn settle() {
    // SAFETY: the function may be called at any time.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// The resident memory of this process in bytes, as reported by the system.
pub fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}
