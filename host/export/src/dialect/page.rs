//! The page `docs/dialects.md`, which is generated from the tables.

use std::fmt::Write as _;

use super::fields::{FIELDS, Field, Id};
use super::kinds::KINDS;
use super::vendors::{LANGFUSE_METADATA, LANGFUSE_VARIABLE, LANGSMITH_METADATA, VARIABLE};

/// The fields that the table of kinds shows.
const OF_KINDS: [Id; 7] = [
    Id::Operation,
    Id::OpenInferenceKind,
    Id::TraceloopKind,
    Id::LangfuseKind,
    Id::LangSmithKind,
    Id::Step,
    Id::Entity,
];

/// Content in numbered attributes, and metadata with an attribute for each key.
const IN_PARTS: [(&str, [&str; 4]); 7] = [
    (
        "input messages, with instructions",
        ["", "llm.input_messages.N.message.*", "", ""],
    ),
    (
        "output messages",
        ["", "llm.output_messages.N.message.*", "", ""],
    ),
    (
        "documents",
        ["", "retrieval.documents.N.document.*", "", ""],
    ),
    ("tools", ["", "llm.tools.N.tool.*", "", ""]),
    (
        "embedded texts",
        ["", "embedding.embeddings.N.embedding.text", "", ""],
    ),
    (
        "variables of the prompt",
        [VARIABLE, "", LANGFUSE_VARIABLE, ""],
    ),
    ("metadata", ["", "", LANGFUSE_METADATA, LANGSMITH_METADATA]),
];

/// Returns the text of the page.
pub fn page() -> String {
    let mut page = include_str!("page.md").to_owned();
    page.push_str("\n## Kinds\n\n");
    page.push_str("| operation | OpenInference | Langfuse | LangSmith | Traceloop (read) |\n");
    page.push_str("|---|---|---|---|---|\n");
    for kind in KINDS {
        let cells = [
            list(kind.operations),
            list(&[kind.open_inference]),
            list(&[kind.langfuse]),
            list(&[kind.langsmith]),
            list(kind.traceloop),
        ];
        row(&mut page, &cells);
    }
    page.push_str("\n## Fields\n\n");
    page.push_str("| field | GenAI | OpenInference | Langfuse | LangSmith | read as well |\n");
    page.push_str("|---|---|---|---|---|---|\n");
    for field in FIELDS.iter().filter(|field| !OF_KINDS.contains(&field.id)) {
        row(&mut page, &cells(field));
    }
    page.push_str("\n## Fields in parts\n\n");
    page.push_str("| field | GenAI | OpenInference | Langfuse | LangSmith |\n");
    page.push_str("|---|---|---|---|---|\n");
    for (title, names) in IN_PARTS {
        let cells = names.map(|name| match name {
            prefix if prefix.ends_with('.') => list(&[&format!("{prefix}KEY")]),
            name => list(&[name]),
        });
        let mut all = vec![title.to_owned()];
        all.extend(cells);
        row(&mut page, &all);
    }
    page
}

fn cells(field: &Field) -> Vec<String> {
    let lists = [
        field.gen_ai,
        field.open_inference,
        field.langfuse,
        field.langsmith,
        field.older,
    ];
    let mut cells = vec![field.title.to_owned()];
    cells.extend(lists.map(list));
    cells
}

fn list(names: &[&str]) -> String {
    let shown = names.iter().filter(|name| !name.is_empty());
    let shown: Vec<_> = shown.map(|name| format!("`{name}`")).collect();
    shown.join(", ")
}

fn row(page: &mut String, cells: &[String]) {
    // Writing to a text cannot fail.
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}
