//! Runs the same work for many items on a few threads.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Runs `work` for each item on at most `threads` threads including the current one, each with this
/// stack size. Returns the results in the order of the items. If the system refuses a thread, the
/// others do more.
pub(super) fn for_each<T: Sync, R: Send + Sync>(
    items: &[T],
    threads: usize,
    stack: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let results: Vec<OnceLock<R>> = items.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let take = || {
        while let Some((item, result)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            items.get(index).zip(results.get(index))
        } {
            result.get_or_init(|| work(item));
        }
    };
    // Events of the worker threads go to the subscriber of this thread.
    let events = tracing::dispatcher::get_default(Clone::clone);
    thread::scope(|scope| {
        for _ in 1..threads.min(items.len()) {
            let worker = thread::Builder::new()
                .name("spanmux-loader".to_owned())
                .stack_size(stack);
            let take = || tracing::dispatcher::with_default(&events, take);
            if worker.spawn_scoped(scope, take).is_err() {
                break;
            }
        }
        take();
    });
    results
        .into_iter()
        .filter_map(OnceLock::into_inner)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_whatever_the_threads() {
        let items: Vec<u64> = (0..100).collect();
        let doubled: Vec<u64> = items.iter().map(|item| item * 2).collect();
        for threads in [0, 1, 3, 200] {
            let found = for_each(&items, threads, 64 << 10, |item| item * 2);
            assert_eq!(found, doubled, "{threads} threads");
        }
        assert!(for_each(&[] as &[u64], 4, 64 << 10, |item| *item).is_empty());
    }
}
