//! What a host of component selectors is made with.

use super::cache::CompileCache;
use super::host::{HostError, SelectorHost};
use super::limits::Limits;

/// Makes a [`SelectorHost`]: the limits of its selectors, and where what was
/// compiled is kept. Nothing of it needs to be said.
///
/// # Examples
/// ```
/// use spanmux::{CompileCache, Limits, SelectorHost};
/// # let directory = tempfile::tempdir()?;
///
/// let host = SelectorHost::builder()
///     .limits(Limits::default().fuel(5_000_000))
///     .cache(CompileCache::in_directory(directory.path()))
///     .build()?;
/// assert_eq!(host.limits().fuel, 5_000_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is made before `build`"]
pub struct SelectorHostBuilder {
    limits: Limits,
    cache: Option<CompileCache>,
}

impl SelectorHostBuilder {
    /// What a selector may use. Without it, [`Limits::default`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where what was compiled is kept between runs. Without it, or with none,
    /// nothing is read or written but the files of selectors.
    pub fn cache(mut self, cache: impl Into<Option<CompileCache>>) -> Self {
        self.cache = cache.into();
        self
    }

    /// Makes the host. A cache that cannot be used is no error:
    /// [`SelectorHost::compile_status`] says what became of it.
    ///
    /// # Errors
    /// As [`SelectorHost::new`].
    ///
    /// # Cost
    /// As [`SelectorHost::new`]. With a cache, its directory is made and listed, and
    /// one more thread is started, which keeps the cache small.
    pub fn build(self) -> Result<SelectorHost, HostError> {
        SelectorHost::make_with(self.limits, self.cache.as_ref())
    }
}
