//! Terminal output: data on standard output, messages on standard error, and colour on
//! terminals.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use spanmux::explain::{Role, Text};

use crate::untrusted::{self, one_line, several_lines};

/// Prints output for people and programs. Text from contexts, selectors and files cannot control
/// the terminal. The first failure of standard output is kept for [`finish`](Self::finish); after
/// it, nothing is printed there any more.
#[derive(Default)]
pub(crate) struct Printer {
    failure: Mutex<Option<io::Error>>,
}

/// The time after which a running operation is reported.
const PATIENCE: Duration = Duration::from_secs(1);

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();

/// The colours of tracers, by index. Red and yellow are reserved for warnings.
const TRACERS: [AnsiColor; 6] = [
    AnsiColor::Blue,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Cyan,
    AnsiColor::BrightBlue,
    AnsiColor::BrightGreen,
];

fn style(role: Role) -> Style {
    match role {
        Role::Title | Role::Question => STRONG,
        Role::Tracer(place) => TRACERS[place % TRACERS.len()].on_default(),
        Role::Fallback => AnsiColor::Red.on_default(),
        Role::Line | Role::Abstains | Role::Note => FAINT,
        _ => Style::new(),
    }
}

impl Printer {
    /// Prints a line of data.
    pub(crate) fn line(&self, text: impl Display) {
        self.write(one_line(text));
    }

    /// Prints data of several lines.
    pub(crate) fn block(&self, text: impl Display) {
        self.write(several_lines(text));
    }

    /// Prints a JSON object on one line.
    pub(crate) fn json(&self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(line) => self.write(untrusted::json(&line)),
            // Does not happen: the commands print string keys and finite numbers only.
            Err(error) => self.warning(format_args!("cannot print JSON: {error}")),
        }
    }

    /// Writes a text that contains no untrusted control characters to standard output.
    fn write(&self, text: impl Display) {
        if self.has_failed() {
            return;
        }
        if let Err(error) = writeln!(anstream::stdout(), "{text}") {
            self.keep(error);
        }
    }

    fn keep(&self, error: io::Error) {
        self.failure().get_or_insert(error);
    }

    fn failure(&self) -> MutexGuard<'_, Option<io::Error>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns `true` if standard output is closed or could not be written.
    pub(crate) fn has_failed(&self) -> bool {
        self.failure().is_some()
    }

    /// Writes all output. A closed pipe is not an error: its reader has seen enough.
    ///
    /// # Errors
    /// The first failure of standard output.
    pub(crate) fn finish(&self) -> io::Result<()> {
        if let Err(error) = io::stdout().flush() {
            self.keep(error);
        }
        match self.failure().take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    /// Prints a heading above data.
    pub(crate) fn heading(&self, text: impl Display) {
        let text = one_line(text);
        self.write(format_args!("\n{STRONG}{text}{STRONG:#}"));
    }

    /// Prints the rules of a selector in colour.
    pub(crate) fn rules(&self, rules: &Text) {
        for line in &rules.lines {
            let parts = line.iter().map(|part| {
                let style = style(part.role);
                format!("{style}{}{style:#}", one_line(&part.text))
            });
            self.write(parts.collect::<String>());
        }
    }

    /// Prints a line of secondary data.
    pub(crate) fn faint(&self, text: impl Display) {
        let text = one_line(text);
        self.write(format_args!("{FAINT}{text}{FAINT:#}"));
    }

    /// Prints a passed check.
    pub(crate) fn passed(&self, what: impl Display) {
        let what = one_line(what);
        self.write(format_args!("  {GOOD}ok{GOOD:#}      {what}"));
    }

    /// Prints a failed check.
    pub(crate) fn failed(&self, what: impl Display) {
        let what = one_line(what);
        self.write(format_args!("  {BAD}FAILED{BAD:#}  {what}"));
    }

    /// Prints a table of data.
    pub(crate) fn table(&self, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(header.iter().copied());
        for row in rows {
            table.add_row(row.into_iter().map(several_lines));
        }
        self.write(table);
    }

    /// Prints a progress message.
    pub(crate) fn progress(&self, text: impl Display) {
        let text = one_line(text);
        let _ = writeln!(anstream::stderr(), "{FAINT}{text}{FAINT:#}");
    }

    /// Runs an operation, and prints a progress message if it takes longer than [`PATIENCE`].
    pub(crate) fn patiently<T>(&self, text: impl Display + Send, work: impl FnOnce() -> T) -> T {
        let (done, waiting) = channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                if waiting.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    self.progress(text);
                }
            });
            let outcome = work();
            drop(done);
            outcome
        })
    }

    /// Prints a problem that did not stop the command.
    pub(crate) fn warning(&self, text: impl Display) {
        let text = several_lines(text);
        let _ = writeln!(anstream::stderr(), "{WARN}warning{WARN:#}: {text}");
    }

    /// Prints the error that stopped the command, with its causes.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let mut stderr = anstream::stderr();
        let _ = writeln!(stderr, "{BAD}error{BAD:#}: {}", several_lines(error));
        for cause in error.chain().skip(1) {
            let _ = writeln!(stderr, "  caused by: {}", several_lines(cause));
        }
    }
}
