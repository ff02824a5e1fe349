//! A chain of selectors, which runs them in order.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::allowed_tracers::AllowedTracers;
use crate::cache_slot::CacheSlot;
use crate::context::ContextView;
use crate::decision::{Cause, Choice, CompactDecision, Decision, Fallback, RunCost};
use crate::decision_cache::{ChainSlot, Tree, Walked};
use crate::selector::{Sealed, Selector, panic_message};
use crate::tracer_names::TracerNames;

/// Selectors in order. The first one that does not abstain decides.
///
/// Cloning is cheap: clones share the selectors.
#[derive(Clone, Default)]
pub struct Chain {
    links: Arc<[Link]>,
}

struct Link {
    selector: Arc<dyn Selector>,
    /// The name when the chain was made. The registry does not ask the selector for it while it
    /// holds a lock.
    name: Arc<str>,
    /// The causes that were logged, one bit each. A selector that fails for every other trace is
    /// logged once per cause.
    logged: AtomicU16,
}

impl Chain {
    /// Creates a chain without selectors.
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

    /// Restricts each selector of this chain to these tracers. Selectors that are appended later are
    /// not restricted.
    ///
    /// # Examples
    /// ```
    /// use spanmux::{AllowedTracers, Chain, selector_fn};
    ///
    /// let by_tenant = selector_fn("by-tenant", |context, tracers| {
    ///     tracers.choose(context.text("tenant").unwrap_or("quarantine"))
    /// });
    /// let console = selector_fn("console", |_, tracers| tracers.choose("console"));
    /// let allowed = AllowedTracers::new(["tenant-*", "quarantine"])?;
    /// let chain = Chain::from(by_tenant).restricted_to(&allowed).then(console);
    /// let lists: Vec<usize> = chain.selectors().map(|it| it.allowed_tracers().len()).collect();
    /// assert_eq!(lists, [1, 0]);
    /// # Ok::<(), spanmux::PatternError>(())
    /// ```
    #[must_use]
    pub fn restricted_to(self, allowed: &AllowedTracers) -> Self {
        let selectors = self.selectors().cloned();
        selectors
            .map(|selector| allowed.restrict(selector))
            .collect()
    }

    /// Returns the selectors in order.
    pub fn selectors(&self) -> impl ExactSizeIterator<Item = &Arc<dyn Selector>> {
        self.links.iter().map(|link| &link.selector)
    }

    /// Returns the number of selectors.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Returns `true` if the chain has no selector.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Returns the names of the selectors in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.links.iter().map(|link| &link.name)
    }

    /// Returns `true` if both are clones of one chain.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.links, &other.links)
    }

    pub(crate) fn get(&self, place: usize) -> Option<&dyn Selector> {
        self.shared(place).map(|selector| &**selector)
    }

    #[inline]
    pub(crate) fn shared(&self, place: usize) -> Option<&Arc<dyn Selector>> {
        self.links.get(place).map(|link| &link.selector)
    }

    /// Returns the cache slots for one list of tracers.
    pub(crate) fn seats(&self, tracers: &TracerNames) -> Seats {
        let seat = |link: &Link| link.selector.cache_slot(tracers, Sealed(()));
        Seats {
            each: self.links.iter().map(seat).collect(),
            whole: ChainSlot::default(),
        }
    }

    /// Returns the decision tree of each selector, or `None` for one without.
    pub(crate) fn trees<'s>(
        &'s self,
        seats: &'s Seats,
        tracers: &'s TracerNames,
    ) -> impl Iterator<Item = Option<&'s Tree>> {
        let links = self.links.iter().zip(&seats.each);
        links.map(|(link, seat)| link.selector.tree_in(seat, tracers, Sealed(())))
    }

    /// Runs the selectors in order, each from its cache slot, until one does not abstain.
    #[inline]
    pub(crate) fn decide(
        &self,
        seats: &Seats,
        context: &ContextView<'_>,
        tracers: &TracerNames,
    ) -> Decided {
        match seats.walk(context) {
            Walked::Decided(brief, by) => Decided::cached(brief, by),
            Walked::Next { selector, grows } => {
                let unfinished = Unfinished::at(selector, grows);
                self.resume(seats, context, tracers, unfinished)
            }
        }
    }

    /// Decides as [`decide`](Self::decide) does, up to the first component that would run.
    #[inline]
    pub(crate) fn recall(
        &self,
        seats: &Seats,
        context: &ContextView<'_>,
        tracers: &TracerNames,
    ) -> Result<Decided, Unfinished> {
        let mut unfinished = match seats.walk(context) {
            Walked::Decided(brief, by) => return Ok(Decided::cached(brief, by)),
            Walked::Next { selector, grows } => Unfinished::at(selector, grows),
        };
        for (place, link, seat) in self.rest(seats, unfinished.next) {
            unfinished.next = place;
            let Some(brief) = link.recall(seat, context, tracers) else {
                return Err(unfinished);
            };
            if unfinished.decided.add(place, brief) {
                break;
            }
        }
        Ok(seats.learn(context, unfinished))
    }

    fn rest<'a>(
        &'a self,
        seats: &'a Seats,
        next: usize,
    ) -> impl Iterator<Item = (usize, &'a Link, &'a CacheSlot)> {
        let links = self.links.iter().zip(&seats.each).enumerate();
        let links = links.skip(next);
        links.map(|(place, (link, seat))| (place, link, seat))
    }

    /// Runs the remaining selectors.
    pub(crate) fn resume(
        &self,
        seats: &Seats,
        context: &ContextView<'_>,
        tracers: &TracerNames,
        mut unfinished: Unfinished,
    ) -> Decided {
        for (place, link, seat) in self.rest(seats, unfinished.next) {
            let brief = link.decide(seat, context, tracers);
            if unfinished.decided.add(place, brief) {
                break;
            }
        }
        seats.learn(context, unfinished)
    }
}

/// The cached decisions of a chain for one list of tracers.
#[derive(Clone, Default)]
pub(crate) struct Seats {
    /// One slot per selector.
    each: Box<[CacheSlot]>,
    /// The tree of all of them.
    whole: ChainSlot,
}

impl Seats {
    /// Walks the tree of the whole chain.
    #[inline]
    fn walk(&self, context: &ContextView<'_>) -> Walked {
        // The attributes of a span are code of the application. A panic in it is caught again where
        // the selector that asks for them is known.
        let walked = catch_unwind(AssertUnwindSafe(|| self.whole.walk(context)));
        walked.unwrap_or(Walked::Next {
            selector: 0,
            grows: false,
        })
    }

    /// Inserts the path of a decision that no component had to run for into the tree of the chain.
    #[inline]
    fn learn(&self, context: &ContextView<'_>, unfinished: Unfinished) -> Decided {
        let Unfinished { decided, grows, .. } = unfinished;
        if grows && decided.cached && decided.cost.is_none() {
            // As for the walk.
            let learn = || self.whole.learn(&self.each, context);
            let _panicked = catch_unwind(AssertUnwindSafe(learn));
        }
        decided
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
        let link = |selector: Arc<dyn Selector>| Link {
            name: selector.name().into(),
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

/// The decision of a chain.
pub(crate) struct Decided {
    pub(crate) brief: CompactDecision,
    /// The position of the selector that decided, or `None` if all abstained.
    pub(crate) by: Option<usize>,
    /// `true` if any of the selectors answered from its cache.
    pub(crate) cached: bool,
    /// The total cost of the selectors that ran.
    pub(crate) cost: Option<Box<RunCost>>,
}

/// The decision of the first selectors of a chain, which all abstained.
pub(crate) struct Unfinished {
    decided: Decided,
    /// The position of the selector that is next.
    next: usize,
    /// `true` if the tree of the chain may get the path of this decision.
    grows: bool,
}

impl Default for Decided {
    #[inline]
    fn default() -> Self {
        Self {
            brief: CompactDecision::abstain(false),
            by: None,
            cached: false,
            cost: None,
        }
    }
}

impl Unfinished {
    #[inline]
    fn at(next: usize, grows: bool) -> Self {
        let decided = Decided {
            // Those before it answered from the tree of the chain.
            cached: next > 0,
            ..Decided::default()
        };
        Self {
            decided,
            next,
            grows,
        }
    }
}

impl Decided {
    /// A decision from the tree of the chain.
    #[inline]
    fn cached(brief: CompactDecision, by: Option<usize>) -> Self {
        Self {
            brief,
            by,
            cached: true,
            cost: None,
        }
    }

    /// Adds the decision of the next selector. Returns `true` if it does not abstain.
    #[inline]
    fn add(&mut self, place: usize, brief: CompactDecision) -> bool {
        self.cached |= brief.cached();
        if let Some(more) = brief.cost() {
            self.cost = Some(more.and(self.cost.take()));
        }
        let decides = !brief.abstains();
        if decides {
            self.brief = brief;
            self.by = Some(place);
        }
        decides
    }
}

/// Formats the names of the selectors.
impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl Link {
    fn decide(
        &self,
        seat: &CacheSlot,
        context: &ContextView<'_>,
        tracers: &TracerNames,
    ) -> CompactDecision {
        let decide = || self.selector.decide_in(seat, context, tracers, Sealed(()));
        let brief = self.guard(decide).unwrap_or_else(|trapped| trapped);
        if let Some(decision) = brief.as_whole() {
            self.log_failure(decision);
        }
        brief
    }

    fn recall(
        &self,
        seat: &CacheSlot,
        context: &ContextView<'_>,
        tracers: &TracerNames,
    ) -> Option<CompactDecision> {
        let recall = || self.selector.recall_in(seat, context, tracers, Sealed(()));
        let brief = self.guard(recall).unwrap_or_else(Some)?;
        if let Some(decision) = brief.as_whole() {
            self.log_failure(decision);
        }
        Some(brief)
    }

    /// Runs code of the selector. A panic must not reach the caller's span, and becomes a failed
    /// decision. Half-finished state stays inside the selector, which is shared only as `&self`.
    #[inline]
    fn guard<R>(&self, code: impl FnOnce() -> R) -> Result<R, CompactDecision> {
        catch_unwind(AssertUnwindSafe(code)).map_err(|panic| {
            let trapped = Fallback::Trapped(panic_message(&*panic));
            CompactDecision::of(Choice::Fallback(trapped), false)
        })
    }

    #[cold]
    fn log_failure(&self, decision: &Decision) {
        if let Choice::Fallback(fallback) = &decision.choice {
            self.log(fallback);
        }
    }

    /// Logs a failure once per cause.
    fn log(&self, fallback: &Fallback) {
        let bit = 1_u16 << (fallback.cause() as u16);
        if self.logged.load(Ordering::Relaxed) & bit == 0
            && self.logged.fetch_or(bit, Ordering::Relaxed) & bit == 0
        {
            tracing::warn!(
                selector = &*self.name,
                cause = fallback.cause().as_str(),
                reason = %fallback,
                "a selector's decision went to the fallback tracer; \
                 more of this cause are counted and not logged"
            );
        }
    }
}

// `Link::logged` has one bit per cause.
const _: () = assert!(Cause::ALL.len() <= u16::BITS as usize);
