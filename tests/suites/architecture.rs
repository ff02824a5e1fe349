//! Holds the code to ARCHITECTURE.md: the words in the last column of its table
//! do not occur in the code of that row, and every source file has a row.

use std::fs;
use std::path::{Path, PathBuf};

struct Row {
    places: Vec<String>,
    /// Words that a single file may have although a wider row forbids them.
    granted: Vec<String>,
    forbidden: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|')
            .split('|')
            .map(str::to_owned)
            .collect()
    };
    text.lines()
        .filter(|line| line.starts_with("| `"))
        .map(cells)
        .filter(|cells| cells.len() == 4)
        .map(|cells| Row {
            places: quoted(&cells[0]),
            granted: quoted(&cells[2]),
            forbidden: quoted(&cells[3]),
        })
        .collect()
}

fn sources(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

/// The code without its comments, which may speak of anything, and without its
/// tests, which may do anything.
fn code(source: &str) -> String {
    let tests = source
        .find("#[cfg(test)]\nmod tests {")
        .unwrap_or(source.len());
    source[..tests]
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Whether `word` occurs and is not the end of a longer name. The lint that
/// forbids unsafe code and the attribute that allows it are not the thing.
fn occurs(word: &str, code: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let name = |c: char| c.is_alphanumeric() || c == '_';
        let before = code[..at].chars().next_back().is_some_and(name);
        let after = code[at + word.len()..].chars().next().is_some_and(name);
        let longer = before || (after && word.ends_with(name));
        !longer
    })
}

/// Whether the row of this one file has the word among what it may touch.
fn is_granted(rows: &[Row], file: &Path, word: &str) -> bool {
    rows.iter().any(|row| {
        let only = row.places.len() == 1 && root().join(&row.places[0]) == file;
        only && file.is_file() && row.granted.iter().any(|granted| granted == word)
    })
}

#[test]
fn one_file_alone_may_read_the_environment() {
    let rows = rows();
    let may = |file: &&PathBuf| is_granted(&rows, file, "std::env");
    let files = sources(&root().join("host/src"));
    let granted: Vec<_> = files.iter().filter(may).collect();
    assert_eq!(granted, [&root().join("host/src/config/environment.rs")]);
    assert!(!is_granted(&rows, granted[0], "std::fs"));
}

#[test]
fn the_check_can_fail() {
    assert!(occurs("wasmtime", "use wasmtime::Engine;"));
    assert!(occurs("crate::registry", "use crate::registry::Snapshot;"));
    assert!(occurs("println!", "    println!(\"x\")"));
    assert!(!occurs("print!", "eprint!(\"x\")"));
    assert!(!occurs("unsafe", "#![deny(unsafe_code)]"));
    assert!(!occurs(
        "wasmtime",
        &code("// wasmtime does it\nlet x = 1;")
    ));
    assert!(occurs(
        "wasmtime",
        &code("// it does it\nlet x = wasmtime::x;")
    ));
}

#[test]
fn no_part_touches_what_its_row_forbids() {
    let rows = rows();
    assert!(
        rows.len() >= 10,
        "the table of ARCHITECTURE.md was not found"
    );
    let mut looked_for = 0;
    for row in &rows {
        for place in &row.places {
            let path = root().join(place);
            assert!(
                path.exists(),
                "ARCHITECTURE.md names {place}, which is not there"
            );
            if row.forbidden.is_empty() {
                continue;
            }
            // A file of tests may do anything too.
            let tests = |file: &PathBuf| file.ends_with("tests.rs");
            for file in sources(&path).into_iter().filter(|file| !tests(file)) {
                let code = code(&fs::read_to_string(&file).unwrap());
                for word in &row.forbidden {
                    if is_granted(&rows, &file, word) {
                        continue;
                    }
                    looked_for += 1;
                    assert!(
                        !occurs(word, &code),
                        "{} has `{word}`, which ARCHITECTURE.md forbids for {place}",
                        file.display()
                    );
                }
            }
        }
    }
    assert!(looked_for > 200, "only {looked_for} looks");
}

#[test]
fn every_source_file_has_a_row() {
    let places: Vec<PathBuf> = rows()
        .into_iter()
        .flat_map(|row| row.places)
        // The row for all of the host would cover everything.
        .filter(|place| place != "host/src/")
        .map(|place| root().join(place))
        .collect();
    for part in ["host/src", "guest-sdk/src", "cli/src"] {
        for file in sources(&root().join(part)) {
            assert!(
                places.iter().any(|place| file.starts_with(place)),
                "{} is in no row of ARCHITECTURE.md",
                file.display()
            );
        }
    }
}
