//! Counts what this thread allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counted for each thread by itself, so that two threads
/// do not meet in a counter.
pub struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

// A thread that ends may allocate after its cells are gone; that is not counted.
fn count(bytes: usize) {
    let _ = COUNT.try_with(|cell| cell.set(cell.get() + 1));
    let _ = BYTES.try_with(|cell| cell.set(cell.get() + bytes as u64));
    live(bytes as i64);
}

fn live(bytes: i64) {
    let _ = LIVE.try_with(|cell| cell.set(cell.get() + bytes));
}

// SAFETY: every call is handed on to the system's allocator as it came; counting
// allocates nothing, because the cells are initialised without code and have no
// destructor.
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

/// What was allocated, on the host's side.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Allocations {
    pub count: f64,
    pub bytes: f64,
}

/// What one call of `run` allocates on this thread, as a mean over `times`.
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

/// By how many bytes this thread's live allocations grew during `run`.
pub fn growth<T>(run: impl FnOnce() -> T) -> (i64, T) {
    let before = LIVE.get();
    let result = run();
    (LIVE.get() - before, result)
}

/// Gives back what was freed, so that a later growth is not hidden in it.
pub fn settle() {
    // SAFETY: it may be called at any time.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Bytes of this process that are resident, as the system counts them.
pub fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}
