//! Final states of runs and their steps.

/// The final status of a workflow or of one of its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RunStatus {
    /// It succeeded.
    Success,
    /// It failed. The span gets an error status.
    Failed,
    /// It waits for a person and will be resumed.
    Suspended,
    /// It waits for an event or a resource.
    Waiting,
    /// It was canceled from outside.
    Canceled,
    /// It was not needed.
    Skipped,
}

impl RunStatus {
    /// Returns the attribute value.
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
