//! The style sheet of a drawing: light, and dark if the viewer prefers it. It uses no custom
//! properties, because not every viewer supports them.

use std::fmt::Write as _;

use crate::colours::{ABSTAINS, Colour, Colours, DARK, FALLBACK, LIGHT, Page, QUESTION, TRACERS};

const FIXED: &str = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace";
const TEXT: &str =
    "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, 'Liberation Sans', sans-serif";

/// Returns the style sheet for a drawing with this number of tracers.
pub(super) fn sheet(tracers: usize) -> String {
    let mut sheet = format!(
        "\n.spanmux text {{ font-family: {TEXT}; font-size: 12.5px; }}\
         \n.spanmux .k {{ font-family: {FIXED}; }}\
         \n.spanmux .h {{ font-size: 19px; font-weight: 600; }}\
         \n.spanmux .s {{ font-size: 10.5px; }}\
         \n.spanmux .b {{ font-weight: 600; }}\
         \n.spanmux .n {{ font-variant-numeric: tabular-nums; }}\
         \n.spanmux .e {{ fill: none; stroke-opacity: .5; stroke-linecap: butt; }}\
         \n.spanmux .d {{ opacity: .62; }}\n"
    );
    colours(&mut sheet, "", &LIGHT, |colours| &colours.light, tracers);
    sheet.push_str("@media (prefers-color-scheme: dark) {\n");
    colours(&mut sheet, "  ", &DARK, |colours| &colours.dark, tracers);
    sheet.push_str("}\n");
    sheet
}

fn colours(
    sheet: &mut String,
    indent: &str,
    page: &Page,
    shade: impl Fn(&Colours) -> &Colour,
    tracers: usize,
) {
    let mut rule = |what: &str, how: String| {
        let _ = writeln!(sheet, "{indent}.spanmux {what} {{ {how} }}");
    };
    rule(
        ".g",
        format!("fill: {}; stroke: {};", page.ground, page.border),
    );
    rule(".r", format!("stroke: {};", page.border));
    rule("text", format!("fill: {};", page.ink));
    rule("text.f", format!("fill: {};", page.faint));
    let mut outcome = |class: &str, colours: &Colours| {
        let Colour { fill, line, ink } = shade(colours);
        rule(
            &format!(".{class} rect"),
            format!("fill: {fill}; stroke: {line};"),
        );
        rule(&format!(".{class} text"), format!("fill: {ink};"));
        rule(
            &format!("circle.{class}"),
            format!("fill: {line}; stroke: {line};"),
        );
        rule(&format!(".e.{class}"), format!("stroke: {line};"));
    };
    outcome("q", &QUESTION);
    outcome("a", &ABSTAINS);
    outcome("m", &ABSTAINS);
    outcome("x", &FALLBACK);
    for (place, colours) in TRACERS.iter().enumerate().take(tracers) {
        outcome(&format!("t{place}"), colours);
    }
    rule("circle.o", "fill: none;".to_owned());
    rule(".e.m", format!("stroke: {};", page.line));
}
