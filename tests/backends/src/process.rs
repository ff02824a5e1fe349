//! Processes that end with the suite: on success, on failure, and on interruption.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

/// Maximum time for a process to start. The first start creates a database on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(180);
/// Maximum time for a process to end by itself.
const ENDS_WITHIN: Duration = Duration::from_secs(30);
/// The exit code of an interrupted program, as in shells.
const INTERRUPTED: i32 = 130;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The running processes.
#[derive(Clone, Default)]
pub struct Processes {
    groups: Arc<Mutex<Vec<Pid>>>,
}

impl Processes {
    /// Ends all processes and deletes their data when the suite is interrupted or terminated.
    pub fn end_on_signals(&self, home: &Path) -> Result<()> {
        let (processes, home) = (self.clone(), home.to_owned());
        ctrlc::set_handler(move || {
            processes.kill_all();
            // The processes may still be writing.
            let _ = std::fs::remove_dir_all(&home);
            std::process::exit(INTERRUPTED);
        })
        .context("signals cannot be listened to")
    }

    /// Starts a process in a group of its own, so that its children end with it.
    pub fn start(&self, mut command: Command, log: &Path) -> Result<Process> {
        let program = command.get_program().to_owned();
        let output = File::options().append(true).create(true).open(log)?;
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let group = Pid::from_child(&child);
        self.groups().push(group);
        Ok(Process {
            child,
            group,
            log: log.to_owned(),
            processes: self.clone(),
        })
    }

    fn kill_all(&self) {
        for group in self.groups().drain(..) {
            // The process may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    fn groups(&self) -> std::sync::MutexGuard<'_, Vec<Pid>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A process. It is killed with all of its children when it is dropped.
pub struct Process {
    child: Child,
    group: Pid,
    log: PathBuf,
    processes: Processes,
}

impl Process {
    /// Waits until `ready` returns `true`.
    ///
    /// # Errors
    /// Returns an error with the end of the log if the process ends or takes too long.
    pub fn wait_until_ready(&mut self, ready: impl Fn() -> bool) -> Result<()> {
        let until = Instant::now() + READY_WITHIN;
        while !ready() {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}; {}", self.last_words());
            }
            if Instant::now() > until {
                bail!(
                    "it was not ready within {} s; {}",
                    READY_WITHIN.as_secs(),
                    self.last_words()
                );
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Asks the process to end and waits for it.
    pub fn stop(mut self) -> Result<()> {
        kill_process_group(self.group, Signal::TERM)?;
        let until = Instant::now() + ENDS_WITHIN;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > until {
                bail!(
                    "it did not end within {} s of being asked to; {}",
                    ENDS_WITHIN.as_secs(),
                    self.last_words()
                );
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(30)..].join("\n");
        format!("the end of {}:\n{last}", self.log.display())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = self.child.wait();
        self.processes.groups().retain(|group| *group != self.group);
    }
}

/// Returns a port on loopback that was free a moment ago.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("loopback has no free port")?;
    Ok(listener.local_addr()?.port())
}

/// Returns `true` if a port on loopback is open.
pub fn is_open(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
