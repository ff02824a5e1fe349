//! Tables that a suite fills, prints, and compares with the document that contains them.
//!
//! Results (the attack, the answer, the event) must match the document word for word. Measurements
//! (times, memory) differ in each run: they are printed, and written into the document when it is
//! renewed, but never compared.

use std::fmt::Write as _;

use crate::folder_of;

/// A table between two markers of a document: `<!-- table NAME -->` and `<!-- end -->`.
pub struct Kept {
    document: &'static str,
    name: &'static str,
    columns: &'static [&'static str],
    held: usize,
    rows: Vec<Vec<String>>,
}

impl Kept {
    /// Creates a table without rows. `document` is a file of `docs/`. The first `held` columns are
    /// compared with it, and the others are measured.
    pub fn new(
        document: &'static str,
        name: &'static str,
        columns: &'static [&'static str],
        held: usize,
    ) -> Self {
        Self {
            document,
            name,
            columns,
            held,
            rows: Vec::new(),
        }
    }

    /// Adds a row with a cell for each column.
    ///
    /// # Panics
    /// If the number of cells differs from the number of columns.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().map(|cell| one_line(&cell)).collect();
        assert_eq!(cells.len(), self.columns.len(), "{cells:?}");
        self.rows.push(cells);
    }

    /// Prints the table and compares it with the document. With `KEEP=1` in the environment, writes
    /// it there instead.
    ///
    /// # Panics
    /// If the document has no such table or a different one. The message names the rows.
    pub fn hold(&self) {
        let table = self.markdown();
        println!("\n{}\n{table}", self.name);
        let path = folder_of("../docs").join(self.document);
        let text = std::fs::read_to_string(&path).expect(self.document);
        let begin = format!("<!-- table {} -->\n", self.name);
        let (before, rest) = text.split_once(&begin).expect(&begin);
        let (kept, after) = rest.split_once("<!-- end -->").expect("<!-- end -->");
        if std::env::var_os("KEEP").is_some() {
            let text = format!("{before}{begin}{table}<!-- end -->{after}");
            std::fs::write(&path, text).expect(self.document);
            return;
        }
        let (kept, found) = (self.held_cells(kept), self.held_cells(&table));
        let missing: Vec<_> = found.iter().filter(|row| !kept.contains(row)).collect();
        let extra: Vec<_> = kept.iter().filter(|row| !found.contains(row)).collect();
        assert!(
            kept == found,
            "docs/{} contains a different table `{}`; run this test with KEEP=1 to update it\n\
             not in the document: {missing:#?}\nonly in the document: {extra:#?}",
            self.document,
            self.name,
        );
    }

    fn markdown(&self) -> String {
        let mut text = format!("| {} |\n", self.columns.join(" | "));
        let _ = writeln!(text, "|{}", "---|".repeat(self.columns.len()));
        for row in &self.rows {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        text
    }

    /// Returns the compared cells of each row of a table.
    fn held_cells<'a>(&self, table: &'a str) -> Vec<Vec<&'a str>> {
        let rows = table.lines().skip(2).filter(|line| !line.is_empty());
        rows.map(|line| {
            let cells = line.trim_matches('|').split(" | ").map(str::trim);
            cells.take(self.held).collect()
        })
        .collect()
    }
}

/// Formats the content of a cell: without line ends and cell marks.
fn one_line(cell: &str) -> String {
    cell.replace(['\n', '\r'], " ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 2]]) -> Kept {
        let mut table = Kept::new("none.md", "none", &["fault", "longest"], 1);
        for row in rows {
            table.row(row.map(str::to_owned));
        }
        table
    }

    #[test]
    fn measured_columns_are_not_compared() {
        let kept = table(&[["a | b", "1 ms"], ["c", "2 ms"]]).markdown();
        let new = table(&[["a | b", "3 ms"], ["c", "4 ms"]]);
        assert_eq!(new.held_cells(&kept), new.held_cells(&new.markdown()));
    }

    #[test]
    fn held_columns_are_compared() {
        let kept = table(&[["a", "1 ms"]]).markdown();
        for other in [
            table(&[["b", "1 ms"]]),
            table(&[]),
            table(&[["a", "1 ms"]; 2]),
        ] {
            assert_ne!(other.held_cells(&kept), other.held_cells(&other.markdown()));
        }
    }
}
