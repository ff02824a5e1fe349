//! Extism: a reused plugin in a separate process, because its build needs a newer wasmtime. The
//! benchmark tells the process what to time, round by round, so that its rows belong to the same
//! run as all others.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::allocations::Allocations;
use crate::clock::Ticks;
use crate::engines::{Engine, Row};
use crate::questions::{Case, Question};

/// The paths of the process's program and of its plugin.
#[derive(Clone, Debug)]
pub struct Runner {
    program: PathBuf,
    plugin: PathBuf,
}

impl Runner {
    /// `None` if they are not built. `benches/run` builds them.
    pub fn find(target: &Path) -> Option<Self> {
        let program = target.join("release/spanmux-benches-extism");
        let plugin =
            target.join("wasm32-unknown-unknown/release/spanmux_benches_extism_plugin.wasm");
        (program.is_file() && plugin.is_file()).then_some(Self { program, plugin })
    }

    pub fn row(&self, question: Question) -> Row {
        let runner = self.clone();
        Row::new("Extism", "plugin reused", move || {
            Process::start(&runner, question)
        })
    }
}

struct Process {
    child: Child,
    pipes: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Process {
    fn start(runner: &Runner, question: Question) -> Result<Self> {
        let mut child = Command::new(&runner.program)
            .arg(&runner.plugin)
            .arg(match question {
                Question::OneKey => "one_key",
                Question::FourKeys => "four_keys",
            })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the Extism runner does not start")?;
        let input = child.stdin.take().context("its input")?;
        let output = child.stdout.take().context("its output")?;
        let pipes = RefCell::new((input, BufReader::new(output)));
        Ok(Self { child, pipes })
    }

    /// Sends one command and reads one line.
    fn order(&self, order: &str, case: &Case, times: u32) -> Result<Value> {
        let (input, output) = &mut *self.pipes.borrow_mut();
        let line = json!({"order": order, "entries": *case.entries, "times": times});
        writeln!(input, "{line}")?;
        input.flush()?;
        let mut answer = String::new();
        output.read_line(&mut answer)?;
        ensure!(!answer.is_empty(), "the Extism runner ended");
        Ok(serde_json::from_str(&answer)?)
    }

    fn must(&self, order: &str, case: &Case, times: u32) -> Value {
        self.order(order, case, times)
            .unwrap_or_else(|error| panic!("Extism: {order}: {error:#}"))
    }
}

impl Engine for Process {
    fn decide(&mut self, case: &Case) -> usize {
        let answer = self.must("decide", case, 1);
        answer.as_str().map_or(usize::MAX, crate::questions::tracer)
    }

    fn time(&mut self, case: &Case, times: u32) -> u64 {
        self.must("time", case, times).as_u64().unwrap_or_default()
    }

    fn samples(&mut self, case: &Case, times: u32, _: Ticks) -> Vec<f64> {
        serde_json::from_value(self.must("samples", case, times)).unwrap_or_default()
    }

    fn allocations(&mut self, case: &Case) -> Allocations {
        let pair = self.must("allocations", case, 100);
        Allocations {
            count: pair[0].as_f64().unwrap_or_default(),
            bytes: pair[1].as_f64().unwrap_or_default(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Kills only the process that was started above.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
