//! Selectors: what is asked which tracer receives a trace.
//!
//! Native code and components stand behind one trait, and a [`Chain`] asks them
//! in order.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::cache_slot::CacheSlot;
use crate::context::ContextView;
use crate::decision::{Cause, Choice, CompactDecision, Decision, Fallback, RunCost, Suspension};
use crate::tracer_names::TracerNames;

/// Decides which tracer receives a trace.
///
/// Implement it for logic with state of its own; for a function, use [`selector_fn`];
/// for a component, load it with a `SelectorHost`.
///
/// It is asked on the thread that starts the root span, so it must not wait.
pub trait Selector: Send + Sync {
    /// The name by which a selection says who decided.
    fn name(&self) -> &str;

    /// What it was loaded from, as the SHA-256 of the file in hex; none for
    /// native code.
    fn digest(&self) -> Option<&str> {
        None
    }

    /// Decides one trace.
    ///
    /// Must not panic. If it does, the panic hook of the process runs as for any panic, and the
    /// trace goes to the fallback tracer.
    fn decide(&self, context: &ContextView<'_>, tracers: &TracerNames) -> Choice;

    /// Decides one trace and returns the choice with its [`Origin`]. Do not implement it.
    fn decision(&self, context: &ContextView<'_>, tracers: &TracerNames) -> Decision {
        self.decide_in(&CacheSlot::default(), context, tracers, Sealed(()))
            .into()
    }

    /// Whether it is suspended, because its runs broke. Native code never is.
    fn suspension(&self) -> Option<Suspension> {
        None
    }

    /// Prepares a cache slot for these tracers, so that the threads that decide do not wait for
    /// each other to do it. Sealed.
    #[doc(hidden)]
    fn cache_slot(&self, _tracers: &TracerNames, _: Sealed) -> CacheSlot {
        CacheSlot::default()
    }

    /// Decides from a cache slot of these tracers. Sealed.
    #[doc(hidden)]
    fn decide_in(
        &self,
        _slot: &CacheSlot,
        context: &ContextView<'_>,
        tracers: &TracerNames,
        _: Sealed,
    ) -> CompactDecision {
        CompactDecision::of(self.decide(context, tracers), false)
    }
}

/// Seals the methods of [`Selector`] that only this workspace implements.
#[derive(Clone, Copy, Debug)]
pub struct Sealed(());

/// A selector from a native function.
///
/// # Examples
/// ```
/// use spanmux::{Choice, selector_fn};
///
/// let by_environment = selector_fn("by-environment", |context, tracers| {
///     match context.text("environment") {
///         Some("production") => tracers.choose("langfuse"),
///         Some(_) => tracers.choose("console"),
///         None => Choice::Abstain,
///     }
/// });
/// # let _ = by_environment;
/// ```
pub fn selector_fn<F>(name: impl Into<String>, select: F) -> impl Selector
where
    F: Fn(&ContextView<'_>, &TracerNames) -> Choice + Send + Sync,
{
    Native {
        name: name.into(),
        select,
    }
}

struct Native<F> {
    name: String,
    select: F,
}

impl<F> Selector for Native<F>
where
    F: Fn(&ContextView<'_>, &TracerNames) -> Choice + Send + Sync,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&self, context: &ContextView<'_>, tracers: &TracerNames) -> Choice {
        (self.select)(context, tracers)
    }
}

/// Selectors in order. The first that does not abstain decides.
///
/// Cheap to clone: the selectors are shared.
#[derive(Clone, Default)]
pub struct Chain {
    links: Arc<[Link]>,
}

struct Link {
    selector: Arc<dyn Selector>,
    /// The kinds of failure that were logged, one bit each: a selector that fails
    /// for every other trace is worth one line and not a million.
    logged: AtomicU16,
}

impl Chain {
    /// A chain that has no selector.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Appends the selectors of another chain.
    ///
    /// # Examples
    /// ```
    /// use spanmux::{Chain, Choice, selector_fn};
    ///
    /// let by_tenant = selector_fn("by-tenant", |context, tracers| match context.text("tenant") {
    ///     Some(tenant) => tracers.choose(tenant),
    ///     None => Choice::Abstain,
    /// });
    /// let console = selector_fn("console", |_, tracers| tracers.choose("console"));
    /// let chain = Chain::from(by_tenant).then(console);
    /// assert_eq!(chain.len(), 2);
    /// ```
    #[must_use]
    pub fn then(self, next: impl Into<Self>) -> Self {
        let next = next.into();
        self.selectors().chain(next.selectors()).cloned().collect()
    }

    /// The selectors in the order in which they are asked.
    pub fn selectors(&self) -> impl ExactSizeIterator<Item = &Arc<dyn Selector>> {
        self.links.iter().map(|link| &link.selector)
    }

    /// How many selectors it has.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether it has no selector.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    pub(crate) fn get(&self, place: usize) -> Option<&dyn Selector> {
        self.links.get(place).map(|link| &*link.selector)
    }

    /// A seat for each selector, among one list of tracers.
    pub(crate) fn seats(&self, tracers: &TracerNames) -> Box<[CacheSlot]> {
        let seat = |link: &Link| link.selector.cache_slot(tracers, Sealed(()));
        self.links.iter().map(seat).collect()
    }

    /// Asks one selector after the other, each from its seat. Returns what was
    /// decided and by which one; none if all abstained.
    #[inline]
    pub(crate) fn decide(
        &self,
        seats: &[CacheSlot],
        context: &ContextView<'_>,
        tracers: &TracerNames,
    ) -> Decided {
        let mut cached = false;
        let mut cost = None;
        for (place, (link, seat)) in self.links.iter().zip(seats).enumerate() {
            let brief = link.decide(seat, context, tracers);
            cached |= brief.cached();
            if let Some(more) = brief.cost() {
                cost = Some(more.and(cost));
            }
            if !brief.abstains() {
                return Decided {
                    brief,
                    by: Some(place),
                    cached,
                    cost,
                };
            }
        }
        Decided {
            brief: CompactDecision::abstain(false),
            by: None,
            cached,
            cost,
        }
    }
}

impl<S: Selector + 'static> From<S> for Chain {
    fn from(selector: S) -> Self {
        Self::from(Arc::new(selector) as Arc<dyn Selector>)
    }
}

impl From<Arc<dyn Selector>> for Chain {
    fn from(selector: Arc<dyn Selector>) -> Self {
        std::iter::once(selector).collect()
    }
}

impl From<Vec<Arc<dyn Selector>>> for Chain {
    fn from(selectors: Vec<Arc<dyn Selector>>) -> Self {
        selectors.into_iter().collect()
    }
}

impl FromIterator<Arc<dyn Selector>> for Chain {
    fn from_iter<I: IntoIterator<Item = Arc<dyn Selector>>>(selectors: I) -> Self {
        let link = |selector| Link {
            selector,
            logged: AtomicU16::new(0),
        };
        Self {
            links: selectors.into_iter().map(link).collect(),
        }
    }
}

impl<S: Selector + 'static> FromIterator<S> for Chain {
    fn from_iter<I: IntoIterator<Item = S>>(selectors: I) -> Self {
        let shared = |selector| Arc::new(selector) as Arc<dyn Selector>;
        selectors.into_iter().map(shared).collect()
    }
}

/// What a chain decided.
pub(crate) struct Decided {
    pub(crate) brief: CompactDecision,
    /// The place of the selector that decided.
    pub(crate) by: Option<usize>,
    /// Whether any of them answered from what was learned.
    pub(crate) cached: bool,
    /// What running those took that ran, all together.
    pub(crate) cost: Option<Box<RunCost>>,
}

/// Prints the names of the selectors.
impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.selectors().map(|selector| selector.name());
        f.debug_list().entries(names).finish()
    }
}

impl Link {
    fn decide(
        &self,
        seat: &CacheSlot,
        context: &ContextView<'_>,
        tracers: &TracerNames,
    ) -> CompactDecision {
        // A selector that panics must not take the caller's span with it. What it
        // may have left half done is its own: it is shared only as `&self`.
        let asked =
            AssertUnwindSafe(|| self.selector.decide_in(seat, context, tracers, Sealed(())));
        let brief = catch_unwind(asked).unwrap_or_else(|panic| {
            let trapped = Fallback::Trapped(panic_message(&*panic));
            CompactDecision::of(Choice::Fallback(trapped), false)
        });
        if let Some(decision) = brief.as_whole() {
            self.log_failure(decision);
        }
        brief
    }

    #[cold]
    fn log_failure(&self, decision: &Decision) {
        if let Choice::Fallback(fallback) = &decision.choice {
            self.log(fallback);
        }
    }

    /// Says once for each kind of failure that the selector failed so.
    fn log(&self, fallback: &Fallback) {
        let bit = 1_u16 << (fallback.cause() as u16);
        if self.logged.load(Ordering::Relaxed) & bit == 0
            && self.logged.fetch_or(bit, Ordering::Relaxed) & bit == 0
        {
            tracing::warn!(
                selector = self.selector.name(),
                cause = fallback.cause().as_str(),
                reason = %fallback,
                "a selector's decision went to the fallback tracer; \
                 more of this cause are counted and not logged"
            );
        }
    }
}

// One bit of `Link::logged` for each kind.
const _: () = assert!(Cause::ALL.len() <= u16::BITS as usize);

/// The text of a panic's payload.
pub fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it gave no message");
    format!("panicked: {text}")
}
