//! The choice between machine code that is made soon and machine code that runs fast.

use super::engine::Memory;

/// How components are compiled. Decisions and their fuel are the same.
///
/// # Examples
/// ```
/// use spanmux::{CompileTier, SelectorHost};
///
/// let host = SelectorHost::builder().compile_tier(CompileTier::Optimized).build()?;
/// # let _ = host;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompileTier {
    /// Components that bring a language runtime, which have a large memory, are compiled
    /// [fast](Self::Fast), and all others are [optimized](Self::Optimized). A runtime has megabytes
    /// of code of which a decision runs little.
    #[default]
    Automatic,
    /// Compiles in less than half the time. The code is larger and runs slower.
    Fast,
    /// Compiles code that runs fast.
    Optimized,
}

impl CompileTier {
    pub(super) fn is_fast(self, memory: Memory) -> bool {
        match self {
            Self::Automatic => memory == Memory::Large,
            Self::Fast => true,
            Self::Optimized => false,
        }
    }
}
