//! The printed report: Markdown, so that the output of a run is a document.

use std::fmt::{Display, Write as _};

use comfy_table::{CellAlignment, Table as Grid, presets};

/// The goals and skips that the end of a run prints.
#[derive(Default)]
pub struct Report {
    goals: Vec<Goal>,
    skips: Vec<String>,
}

struct Goal {
    what: String,
    bound: Bound,
    reached: f64,
    note: String,
}

/// The required range of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    fn holds(self, reached: f64) -> bool {
        match self {
            Bound::AtMost(goal) => reached <= goal,
            Bound::AtLeast(goal) => reached >= goal,
        }
    }
}

impl Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Bound::AtMost(goal) => write!(f, "≤ {}", number(*goal)),
            Bound::AtLeast(goal) => write!(f, "≥ {}", number(*goal)),
        }
    }
}

impl Report {
    /// Records a figure with a goal.
    pub fn goal(&mut self, what: impl Into<String>, bound: Bound, reached: f64) {
        self.goal_with(what, bound, reached, "");
    }

    /// Records a figure with a goal and a note for the reader.
    pub fn goal_with(
        &mut self,
        what: impl Into<String>,
        bound: Bound,
        reached: f64,
        note: impl Into<String>,
    ) {
        let (what, note) = (what.into(), note.into());
        self.goals.push(Goal {
            what,
            bound,
            reached,
            note,
        });
    }

    /// Reports that something is not measured, and counts it.
    pub fn skip(&mut self, what: impl Into<String>) {
        let what = what.into();
        println!("\nskipped: {what}");
        self.skips.push(what);
    }

    /// Prints the table of goals and the skipped rows.
    pub fn close(&self) {
        if !self.goals.is_empty() {
            heading("Goals");
            let mut table = Table::new(["goal", "wanted", "reached", "", "note"]);
            for goal in &self.goals {
                let verdict = if goal.bound.holds(goal.reached) {
                    "yes"
                } else {
                    "**no**"
                };
                table.row([
                    goal.what.clone(),
                    goal.bound.to_string(),
                    number(goal.reached),
                    verdict.to_owned(),
                    goal.note.clone(),
                ]);
            }
            table.print();
            let held = self
                .goals
                .iter()
                .filter(|goal| goal.bound.holds(goal.reached));
            println!("\n{} of {} goals reached", held.count(), self.goals.len());
        }
        println!("\n{} rows skipped", self.skips.len());
        for skip in &self.skips {
            println!("- {skip}");
        }
    }
}

pub fn heading(text: &str) {
    println!("\n## {text}\n");
}

/// A table in Markdown. The first column contains text, the others figures.
pub struct Table(Grid);

impl Table {
    pub fn new<T: Into<String>>(header: impl IntoIterator<Item = T>) -> Self {
        let header: Vec<String> = header.into_iter().map(Into::into).collect();
        let mut grid = Grid::new();
        grid.load_style(presets::ASCII_MARKDOWN).set_header(header);
        for column in grid.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        Self(grid)
    }

    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        self.0.add_row(cells);
    }

    pub fn print(&self) {
        println!("{}", self.0);
    }
}

/// Three significant digits, with thousands separators.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    match value.abs() {
        0.0 => "0".to_owned(),
        small if small < 10.0 => trimmed(format!("{value:.2}")),
        middling if middling < 100.0 => trimmed(format!("{value:.1}")),
        _ => grouped(value),
    }
}

fn trimmed(text: String) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        let _ = write!(text, "{digit}");
    }
    text
}

/// Bytes in a readable unit.
pub fn bytes(value: f64) -> String {
    match value.abs() {
        small if small < 10_000.0 => format!("{} B", number(value)),
        middling if middling < 10e6 => format!("{} kB", number(value / 1e3)),
        _ => format!("{} MB", number(value / 1e6)),
    }
}

/// Nanoseconds in a readable unit.
pub fn nanos(value: f64) -> String {
    match value {
        small if small < 10_000.0 => format!("{} ns", number(value)),
        middling if middling < 10e6 => format!("{} µs", number(value / 1e3)),
        _ => format!("{} ms", number(value / 1e6)),
    }
}
