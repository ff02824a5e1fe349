//! The matrix of languages and cases.

use std::fmt;

use super::cases::THE_SAME;
use super::{Case, Subject, Suite};

/// The result of one case in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// As the table expects.
    Passed,
    /// Different, as documented.
    Documented,
    /// Different; the result.
    Failed(String),
    /// The language does not support it: it does not compile.
    Impossible,
}

/// The cases of one name.
pub struct Row {
    /// The name.
    pub name: String,
    /// The number of cases.
    pub cases: usize,
    /// One per language.
    pub cells: Vec<Cell>,
}

/// All languages and all cases.
pub struct Matrix {
    /// The columns.
    pub languages: Vec<String>,
    /// In the order of the table.
    pub rows: Vec<Row>,
}

impl Matrix {
    /// Runs each case on each component.
    pub fn of(suite: &Suite, subjects: &[Subject]) -> Self {
        let mut rows: Vec<Row> = Vec::new();
        for case in &suite.cases {
            let cells = subjects.iter().map(|subject| cell(suite, subject, case));
            match rows.last_mut() {
                Some(row) if row.name == case.name => row.add(cells),
                _ => rows.push(Row {
                    name: case.name.clone(),
                    cases: 1,
                    cells: cells.collect(),
                }),
            }
        }
        Self {
            languages: subjects
                .iter()
                .map(|subject| subject.name.clone())
                .collect(),
            rows,
        }
    }

    /// Describes the cells that neither passed nor are documented.
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        for row in &self.rows {
            for (language, cell) in self.languages.iter().zip(&row.cells) {
                if let Cell::Failed(how) = cell {
                    failures.push(format!("{language}, {}: {how}", row.name));
                }
            }
        }
        failures
    }

    /// Returns the number of supported cells.
    pub fn cells(&self) -> usize {
        let cells = self.rows.iter().flat_map(|row| &row.cells);
        cells.filter(|cell| **cell != Cell::Impossible).count()
    }
}

impl Row {
    /// Adds a case of the same name: the worse result remains.
    fn add(&mut self, cells: impl Iterator<Item = Cell>) {
        self.cases += 1;
        for (stands, cell) in self.cells.iter_mut().zip(cells) {
            if *stands == Cell::Passed {
                *stands = cell;
            }
        }
    }
}

fn cell(suite: &Suite, subject: &Subject, case: &Case) -> Cell {
    if !case.is_for(&subject.name) {
        return Cell::Impossible;
    }
    let got = match subject.decide(case) {
        Ok(got) => got,
        Err(unlike) => return Cell::Failed(unlike),
    };
    match suite.difference(case, &subject.name) {
        Some(difference) if got == difference.expect => Cell::Documented,
        Some(difference) => Cell::Failed(format!(
            "{got:?} came in place of {:?}, which is documented",
            difference.expect
        )),
        None if case.expect == THE_SAME || got == case.expect => Cell::Passed,
        None => Cell::Failed(format!("{got:?} came in place of {:?}", case.expect)),
    }
}

/// Formats a letter per language at the top, and a mark per cell.
impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters: Vec<char> = ('A'..='Z').take(self.languages.len()).collect();
        for (letter, language) in letters.iter().zip(&self.languages) {
            writeln!(f, "{letter}  {language}")?;
        }
        let head: String = letters.iter().map(|letter| format!(" {letter}")).collect();
        writeln!(f, "\n{:44}{head}", "")?;
        for row in &self.rows {
            let name = match row.cases {
                1 => row.name.clone(),
                cases => format!("{} ({cases})", row.name),
            };
            let marks: String = row
                .cells
                .iter()
                .map(|cell| format!(" {}", cell.mark()))
                .collect();
            writeln!(f, "{name:44}{marks}")?;
        }
        write!(
            f,
            "\n✓ as the table has it   ≠ otherwise, as documented   ✗ otherwise   · cannot be written"
        )
    }
}

impl Cell {
    fn mark(&self) -> char {
        match self {
            Cell::Passed => '✓',
            Cell::Documented => '≠',
            Cell::Failed(_) => '✗',
            Cell::Impossible => '·',
        }
    }
}
