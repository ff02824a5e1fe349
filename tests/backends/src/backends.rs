//! All backends: started, read back, and stopped.

use std::fmt;
use std::path::PathBuf;
use std::thread;

use anyhow::Result;

use crate::environment::Environment;
use crate::mlflow::Mlflow;
use crate::phoenix::Phoenix;
use crate::process::Processes;
use crate::rotel::Rotel;
use crate::stored::StoredSpan;
use crate::tracers::{TRACERS, Way};
use crate::traces_file;

/// A backend that can be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    Phoenix,
    Mlflow,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Phoenix => "Phoenix",
            Self::Mlflow => "MLflow",
        })
    }
}

pub struct Backends {
    pub phoenix: Phoenix,
    pub mlflow: Mlflow,
    pub rotel: Rotel,
    /// The directory of tracers that write files.
    pub files: PathBuf,
}

impl Backends {
    /// Starts the backends in parallel and waits until each is ready.
    pub fn start(environment: &Environment, processes: &Processes) -> Result<Self> {
        let mut phoenix = Phoenix::new(environment, processes)?;
        let mut mlflow = Mlflow::new(environment, processes)?;
        phoenix.start()?;
        mlflow.start()?;
        let mut rotel = Rotel::start(environment, processes, &phoenix.base())?;
        phoenix.wait_until_ready()?;
        mlflow.wait_until_ready()?;
        rotel.wait_until_ready()?;
        Ok(Self {
            phoenix,
            mlflow,
            rotel,
            files: environment.folder("files")?,
        })
    }

    /// Stops a backend.
    pub fn stop(&mut self, name: Name) -> Result<()> {
        match name {
            Name::Phoenix => self.phoenix.stop(),
            Name::Mlflow => self.mlflow.stop(),
        }
    }

    /// Restarts a backend on its previous store and waits until it is ready.
    pub fn start_again(&mut self, name: Name) -> Result<()> {
        match name {
            Name::Phoenix => {
                self.phoenix.start()?;
                self.phoenix.wait_until_ready()
            }
            Name::Mlflow => {
                self.mlflow.start()?;
                self.mlflow.wait_until_ready()
            }
        }
    }

    /// Returns every span that any backend stored.
    pub fn stored(&self) -> Result<Vec<StoredSpan>> {
        let mut spans = thread::scope(|scope| {
            let mlflow = scope.spawn(|| self.mlflow.stored());
            let phoenix = self.phoenix.stored();
            let mlflow = mlflow
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok::<_, anyhow::Error>([phoenix?, mlflow?].concat())
        })?;
        for (tracer, way) in TRACERS {
            if way == Way::File {
                spans.extend(traces_file::stored(
                    tracer,
                    &traces_file::path(&self.files, tracer),
                )?);
            }
        }
        Ok(spans)
    }
}
