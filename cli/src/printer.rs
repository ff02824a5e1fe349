//! What a person sees: data on standard output, messages on standard error, colour
//! where there is a terminal.

use std::fmt::Display;
use std::io::Write as _;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use spanmux::explain::{Role, Text};

/// Writes for people and programs. A reader that has gone away is no error.
pub(crate) struct Printer;

/// How long nothing may be seen.
const PATIENCE: Duration = Duration::from_secs(1);

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();

/// The colours of tracers, by their place; none is red or yellow, which warn.
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
    /// One line of data.
    pub(crate) fn line(&self, text: impl Display) {
        let _ = writeln!(anstream::stdout(), "{text}");
    }

    /// One JSON object on one line.
    pub(crate) fn json(&self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(line) => self.line(line),
            // What the commands print has text for keys and finite numbers.
            Err(error) => self.warning(format_args!("not printed: {error}")),
        }
    }

    /// A heading above data.
    pub(crate) fn heading(&self, text: impl Display) {
        self.line(format_args!("\n{STRONG}{text}{STRONG:#}"));
    }

    /// The rules of a selector, in colour.
    pub(crate) fn rules(&self, rules: &Text) {
        for line in &rules.lines {
            let parts = line.iter().map(|part| {
                let style = style(part.role);
                format!("{style}{}{style:#}", part.text)
            });
            self.line(parts.collect::<String>());
        }
    }

    /// What is worth less attention.
    pub(crate) fn faint(&self, text: impl Display) {
        self.line(format_args!("{FAINT}{text}{FAINT:#}"));
    }

    /// One thing that holds.
    pub(crate) fn passed(&self, what: impl Display) {
        self.line(format_args!("  {GOOD}ok{GOOD:#}      {what}"));
    }

    /// One thing that does not.
    pub(crate) fn failed(&self, what: impl Display) {
        self.line(format_args!("  {BAD}FAILED{BAD:#}  {what}"));
    }

    /// A table of data.
    pub(crate) fn table(&self, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(header.iter().copied());
        for row in rows {
            table.add_row(row);
        }
        self.line(table);
    }

    /// What is going on.
    pub(crate) fn progress(&self, text: impl Display) {
        let _ = writeln!(anstream::stderr(), "{FAINT}{text}{FAINT:#}");
    }

    /// Does something, and says what it is if it takes longer than a person likes to look
    /// at nothing.
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

    /// What went wrong and did not stop the command.
    pub(crate) fn warning(&self, text: impl Display) {
        let _ = writeln!(anstream::stderr(), "{WARN}warning{WARN:#}: {text}");
    }

    /// What stopped the command, with its causes.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let mut stderr = anstream::stderr();
        let _ = writeln!(stderr, "{BAD}error{BAD:#}: {error}");
        for cause in error.chain().skip(1) {
            let _ = writeln!(stderr, "  because: {cause}");
        }
    }
}
