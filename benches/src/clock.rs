//! Two clocks: the processor's own for single decisions, and the thread's share of
//! the processor for loops of them, which does not count what other processes took.

/// Nanoseconds that this thread has computed.
pub fn thread_nanos() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a live value of the type that the call fills.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// A reading of the finest clock there is.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn ticks() -> u64 {
    use std::arch::x86_64::{_mm_lfence, _rdtsc};
    // SAFETY: every x86-64 processor has both instructions. The fences keep what is
    // timed between the two readings.
    unsafe {
        _mm_lfence();
        let ticks = _rdtsc();
        _mm_lfence();
        ticks
    }
}

/// A reading of the finest clock there is.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub fn ticks() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// What [`ticks`] are in nanoseconds, and what a reading costs.
#[derive(Clone, Copy, Debug)]
pub struct Ticks {
    nanos_per_tick: f64,
    overhead: u64,
}

impl Ticks {
    /// Compares it with the system's clock for 50 ms.
    pub fn calibrate() -> Self {
        let (start, ticks_before) = (std::time::Instant::now(), ticks());
        while start.elapsed().as_millis() < 50 {
            std::hint::spin_loop();
        }
        let nanos = start.elapsed().as_nanos() as f64;
        let nanos_per_tick = nanos / (ticks() - ticks_before) as f64;
        let mut empty: Vec<u64> = (0..10_000)
            .map(|_| {
                let before = ticks();
                ticks() - before
            })
            .collect();
        empty.sort_unstable();
        Self {
            nanos_per_tick,
            overhead: empty[empty.len() / 2],
        }
    }

    /// Nanoseconds between two readings, without what the readings cost.
    pub fn nanos(self, before: u64, after: u64) -> f64 {
        (after - before).saturating_sub(self.overhead) as f64 * self.nanos_per_tick
    }
}
