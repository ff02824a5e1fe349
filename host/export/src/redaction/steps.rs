//! Counts the bytes that redaction reads, so that tests can show that its work is linear.

/// Adds to the count of this thread. Does nothing outside of the tests of this crate.
#[inline]
pub(super) fn count(bytes: usize) {
    #[cfg(test)]
    STEPS.with(|steps| steps.set(steps.get() + bytes));
    let _ = bytes;
}

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Returns the number of bytes that `work` reads.
#[cfg(test)]
pub(super) fn of(work: impl FnOnce()) -> usize {
    STEPS.with(|steps| steps.set(0));
    work();
    STEPS.with(std::cell::Cell::get)
}
