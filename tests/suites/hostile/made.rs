//! Attacks that the text files of the zoo cannot contain: large files, large numbers of items, and
//! bytes that are not a component.

use spanmux_tests::bytes::{console_with, leb, nested};
use spanmux_tests::{component, guest, text};

/// The name of an attack, its description, and its bytes.
pub(crate) type Made = (&'static str, &'static str, Vec<u8>);

const MEBIBYTE: usize = 1 << 20;

pub(crate) fn made() -> Vec<Made> {
    let mut all = bytes();
    all.extend(custom_sections());
    all.extend(modules());
    all.extend(types());
    all
}

/// Files that are not a component, or no longer one.
fn bytes() -> Vec<Made> {
    let good = guest("console");
    let mut random = fastrand::Rng::with_seed(7);
    let garbage = [
        &good[..8],
        &std::iter::repeat_with(|| random.u8(..))
            .take(10_000)
            .collect::<Vec<_>>(),
    ]
    .concat();
    // A first section with a size of four gibibytes, and a size that is encoded in too many bytes.
    let overflow = [&good[..8], &[1, 0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
    let overlong = [&good[..8], &[0, 0x81, 0x80, 0x80, 0x80, 0x80, 0x00, 0]].concat();
    vec![
        ("no-bytes", "Is an empty file.", Vec::new()),
        ("core-module", "Is a core module.", component("(module)")),
        (
            "archive",
            "Is a zip archive.",
            b"PK\x03\x04\x14\0\0\0\x08\0".repeat(100),
        ),
        ("garbage", "Is random bytes after a valid header.", garbage),
        (
            "half",
            "Is truncated in the middle.",
            good[..good.len() / 2].to_vec(),
        ),
        (
            "size-overflow",
            "Has a section of four gibibytes.",
            overflow,
        ),
        (
            "size-overlong",
            "Encodes a size in more bytes than allowed.",
            overlong,
        ),
        (
            "sections-twice",
            "Has all of its sections twice.",
            [&good[..], &good[8..]].concat(),
        ),
    ]
}

fn custom_sections() -> Vec<Made> {
    let with = |name: &str, bytes: usize, fill: u8| {
        let mut file = guest("console");
        let mut section = vec![u8::try_from(name.len()).unwrap()];
        section.extend(name.as_bytes());
        section.resize(section.len() + bytes, fill);
        file.push(0);
        leb(&mut file, section.len());
        file.extend(section);
        file
    };
    vec![
        (
            "custom-60-megabytes",
            "Has a custom section of 60 MB.",
            with("x", 60_000_000, 0),
        ),
        (
            "custom-100-megabytes",
            "Has a custom section of 100 MB.",
            with("x", 100_000_000, 0),
        ),
        (
            "names-of-garbage",
            "Has a name section of garbage.",
            with("component-name", MEBIBYTE, 0xff),
        ),
    ]
}

/// Many or large items of every kind of code and data.
fn modules() -> Vec<Made> {
    let function = "(func (param i32) (result i32) (i32.add (local.get 0) (i32.const 7)))";
    let adds = |count| "(i32.add (i32.const 1))".repeat(count);
    let wide = |targets| {
        format!(
            "(func (param i32) (block (br_table {} (local.get 0))))",
            "0 ".repeat(targets)
        )
    };
    let blocks = |depth| format!("(func {} {})", "(block ".repeat(depth), ")".repeat(depth));
    let params = format!("(func (param {}))", "i64 ".repeat(1000));
    // Each local is live across every loop, and has a new value after it.
    let live = {
        let local =
            |number| format!("(local.set {number} (i32.add (local.get {number}) (i32.const 1)))");
        let locals: String = (0..200).map(local).collect();
        let deep = format!(
            "{}{locals}{}",
            "(loop ".repeat(100),
            "(br_if 0 (local.get 0)))".repeat(100)
        );
        format!("(func (local {}) {deep})", "i32 ".repeat(200))
    };
    let constant = format!(
        "(global i32 (i32.const 0) {})",
        "(i32.const 1) (i32.add)".repeat(5000)
    );
    let elements = |count| {
        let names = "0 ".repeat(count);
        format!("(table {count} funcref) (elem (i32.const 0) func {names})")
    };
    let passive = format!("(elem func {})", "0 ".repeat(60_000));
    let data = format!("(data (i32.const 30000) \"{}\")", "d".repeat(30_000));
    let large = format!("(data \"{}\")", "d".repeat(20 * MEBIBYTE));
    let rows: Vec<(_, _, String)> = vec![
        (
            "functions",
            "Has 10,000 functions.",
            function.repeat(10_000),
        ),
        (
            "functions-too-many",
            "Has 70,000 functions.",
            function.repeat(70_000),
        ),
        (
            "function-large",
            "Has a function of nearly one MiB.",
            format!("(func (result i32) (i32.const 0) {})", adds(340_000)),
        ),
        (
            "function-too-large",
            "Has a function of more than one MiB.",
            format!("(func (result i32) (i32.const 0) {})", adds(400_000)),
        ),
        (
            "branch-table",
            "Has a branch table of 100,000 targets.",
            wide(100_000),
        ),
        (
            "branch-tables",
            "Has a branch table of 50,000 targets in each of 20 functions.",
            wide(50_000).repeat(20),
        ),
        ("blocks", "Has 10,000 nested blocks.", blocks(10_000)),
        (
            "locals",
            "Has 20 functions of 49,000 locals each.",
            format!("(func (local {}))", "i64 ".repeat(49_000)).repeat(20),
        ),
        (
            "parameters",
            "Has 200 functions of 1,000 parameters each.",
            params.repeat(200),
        ),
        (
            "live-values",
            "Keeps 200 values live across 100 nested loops.",
            live,
        ),
        (
            "constant",
            "Has a constant that is a sum of 5,000 terms.",
            constant,
        ),
        (
            "globals",
            "Has 20,000 globals.",
            "(global i32 (i32.const 7))".repeat(20_000),
        ),
        (
            "globals-too-many",
            "Has 300,000 globals.",
            "(global i32 (i32.const 7))".repeat(300_000),
        ),
        (
            "core-types",
            "Has 20,000 function types.",
            "(type (func (param i32 i64)))".repeat(20_000),
        ),
        (
            "data-segments",
            "Has 5,000 data segments.",
            "(data (i32.const 8192) \"d\")".repeat(5000),
        ),
        ("data-inside", "Has a data segment of 30 kB.", data),
        ("data-large", "Has a data segment of 20 MiB.", large),
        (
            "elements",
            "Fills a table with 60,000 functions.",
            format!("{function}{}", elements(60_000)),
        ),
        (
            "elements-too-many",
            "Fills a table with 100,000 functions.",
            format!("{function}{}", elements(100_000)),
        ),
        (
            "elements-passive",
            "Has a passive segment of 60,000 functions without a table.",
            format!("{function}{passive}"),
        ),
        (
            "elements-passive-too-many",
            "Has passive segments of 600,000 functions without a table.",
            format!("{function}{}", passive.repeat(10)),
        ),
    ];
    rows.into_iter()
        .map(|(name, attack, more)| (name, attack, console_with(&more)))
        .collect()
}

/// Component types, by number and by depth.
fn types() -> Vec<Made> {
    let inside = |more: &str| {
        let console = text("guests", "console");
        component(&console.replacen("(component\n", &format!("(component {more}\n"), 1))
    };
    let lists = |depth: usize| -> String {
        let next = |level: usize| format!("(type $t{level} (list $t{}))", level - 1);
        std::iter::once("(type $t0 (list u8))".to_owned())
            .chain((1..depth).map(next))
            .collect()
    };
    let fields: String = (0..1000)
        .map(|field| format!("(field \"f{field}\" string)"))
        .collect();
    // Appended to a valid component, so that the file is still a selector.
    let deep = |depth| [&guest("console")[..], &nested(depth)[8..]].concat();
    vec![
        (
            "types",
            "Has 20,000 types.",
            inside(&"(type (list u8))".repeat(20_000)),
        ),
        (
            "types-deep",
            "Has types nested 50 levels deep.",
            inside(&lists(50)),
        ),
        (
            "types-too-deep",
            "Has types nested 5,000 levels deep.",
            inside(&lists(5000)),
        ),
        (
            "record",
            "Has a record of 1,000 fields.",
            inside(&format!("(type (record {fields}))")),
        ),
        (
            "components-deep",
            "Has components nested 30 levels deep.",
            deep(30),
        ),
        (
            "components-too-deep",
            "Has components nested 30,000 levels deep.",
            deep(30_000),
        ),
        (
            "components",
            "Has 900 sibling components.",
            inside(&"(component)".repeat(900)),
        ),
        (
            "components-too-many",
            "Has 20,000 sibling components.",
            inside(&"(component)".repeat(20_000)),
        ),
    ]
}
