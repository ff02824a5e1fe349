//! How runs and their steps end.

/// How a workflow, or a step of one, came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RunStatus {
    /// It did what it was to do.
    Success,
    /// It failed. The span has the status of an error.
    Failed,
    /// It waits for somebody, and will be resumed.
    Suspended,
    /// It waits for something.
    Waiting,
    /// It was stopped from outside.
    Canceled,
    /// It was not needed.
    Skipped,
}

impl RunStatus {
    /// The word that is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Suspended => "suspended",
            Self::Waiting => "waiting",
            Self::Canceled => "canceled",
            Self::Skipped => "skipped",
        }
    }
}
