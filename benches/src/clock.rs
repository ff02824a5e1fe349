//! Two clocks: the processor's counter for single decisions, and the thread's processor time for
//! loops, which excludes the time of other processes.

/// The processor time of this thread in nanoseconds.
pub fn thread_nanos() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer refers to a live value of the type that the call fills.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Reads the most precise clock.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn ticks() -> u64 {
    use std::arch::x86_64::{_mm_lfence, _rdtsc};
    // SAFETY: every x86-64 processor supports both instructions. The fences keep the timed code
    // between the two readings.
    unsafe {
        _mm_lfence();
        let ticks = _rdtsc();
        _mm_lfence();
        ticks
    }
}

/// Reads the most precise clock.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub fn ticks() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// The length of [`ticks`] in nanoseconds, and the cost of a reading.
#[derive(Clone, Copy, Debug)]
pub struct Ticks {
    nanos_per_tick: f64,
    overhead: u64,
}

impl Ticks {
    /// Compares the counter with the system's clock for 50 ms.
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

    /// The nanoseconds between two readings, without the cost of the readings.
    pub fn nanos(self, before: u64, after: u64) -> f64 {
        (after - before).saturating_sub(self.overhead) as f64 * self.nanos_per_tick
    }
}
