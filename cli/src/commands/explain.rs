//! `spanmux explain`: shows the behaviour of a selector as rules that its author recognises.
//!
//! The selector runs on given or made-up contexts, and the resulting decision tree is shown. The
//! selector's code is not analysed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use spanmux::explain::{Explanation, Rules};
use spanmux::{LoadedFile, Selector, TracerNames};
use spanmux_diff::{Walk, explore, unknown_last, words};

use super::Loaded;
use crate::Verdict;
use crate::args::{CacheArgs, ExplainArgs, ExplainFormat};
use crate::contexts::{self, Given};
use crate::printer::Printer;

/// The default tracers, the same as those of `spanmux route`.
const TRACERS: [&str; 3] = ["langfuse", "datadog", "console"];
/// The width of text that is not written to a terminal.
const COLUMNS: usize = 100;

/// Explains one selector, or each selector of a directory. Returns [`Verdict::No`] if one could
/// not be loaded.
pub(crate) fn run(args: &ExplainArgs, cache: &CacheArgs, printer: &Printer) -> Result<Verdict> {
    let given = match &args.contexts {
        Some(file) => Some(contexts::from_file(file)?),
        None => None,
    };
    let directory = args.selectors.is_dir();
    let format = format(args);
    let loaded = Loaded::from_path(&args.selectors, args.lock.file(), cache, printer)?;
    let allowed = args.allow.list()?;
    let live = |file: &LoadedFile| {
        file.outcome.as_ref().ok()?;
        let selector = file.selector();
        let selector = match &allowed {
            Some(allowed) => allowed.restrict(selector),
            None => selector,
        };
        Some((selector, file.path.clone()))
    };
    let selectors: Vec<(Arc<dyn Selector>, PathBuf)> =
        loaded.files().iter().filter_map(live).collect();
    let one_chart = matches!(format, ExplainFormat::Svg | ExplainFormat::Mermaid);
    if one_chart && selectors.len() > 1 && args.output.is_none() {
        bail!(
            "{} contains {} selectors, each with its own picture; pass one of them, or a folder \
             with --output",
            args.selectors.display(),
            selectors.len()
        );
    }
    for (place, (selector, file)) in selectors.iter().enumerate() {
        let rules = study(&**selector, file, given.as_deref(), &args.tracers, printer)?;
        match &args.output {
            Some(output) if directory => {
                fs::create_dir_all(output)
                    .with_context(|| format!("cannot create the folder {}", output.display()))?;
                let name = format!("{}.{}", selector.name(), format.extension());
                write(&output.join(name), &rules, format, printer)?;
            }
            Some(output) => write(output, &rules, format, printer)?,
            None => {
                if place > 0 && format == ExplainFormat::Text {
                    printer.line("");
                }
                print(&rules, format, printer);
            }
        }
    }
    Ok(loaded.all_loaded().into())
}

/// Returns the requested format, or the format for the extension of the output file.
fn format(args: &ExplainArgs) -> ExplainFormat {
    let ending = args.output.as_ref().and_then(|output| output.extension());
    args.format
        .or_else(|| match ending?.to_str()? {
            "svg" => Some(ExplainFormat::Svg),
            "json" => Some(ExplainFormat::Json),
            "mmd" | "mermaid" => Some(ExplainFormat::Mermaid),
            _ => None,
        })
        .unwrap_or(ExplainFormat::Text)
}

/// Runs a selector on each context and returns the observed rules.
fn study(
    selector: &dyn Selector,
    file: &Path,
    given: Option<&[Given]>,
    tracers: &[String],
    printer: &Printer,
) -> Result<Rules> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let words = words(&bytes);
    let Some(given) = given else {
        let mut contexts = 0;
        let mut rules = among(tracers, &words, |names| {
            let explored = explore(selector, &words, names);
            contexts = explored.contexts;
            explored.explanation
        });
        rules.root.iter_mut().for_each(unknown_last);
        rules.note = Some(format!("explored with {contexts} made-up contexts"));
        printer.progress(format_args!(
            "{}: explored with {contexts} made-up contexts, which may miss rules; pass --contexts \
             to use your own",
            selector.name()
        ));
        return Ok(rules);
    };
    let mut lost = 0;
    let rules = among(tracers, &words, |names| {
        for given in given {
            selector.decision(&given.context.view(), names);
        }
        let explanation = selector.explanation(names);
        let nothing = || Explanation::nothing(names.as_slice());
        let mut walk = Walk::new(explanation.unwrap_or_else(nothing));
        let counted = given.iter().map(|given| walk.count(&given.context.view()));
        lost = counted.filter(|counted| !counted).count();
        walk.explanation
    });
    if lost > 0 {
        printer.warning(format_args!(
            "{}: {lost} of {} decisions are not in the tree, because the tree is full or the \
             decisions failed",
            selector.name(),
            given.len()
        ));
    }
    Ok(rules)
}

/// Runs a study with these tracers.
///
/// Without tracers, every name that the selector returns is treated as a tracer. A selector may
/// use a name only if that tracer is available, so the words of its file are offered as tracers
/// too. The result contains only tracers that were chosen.
fn among(
    tracers: &[String],
    words: &[String],
    mut study: impl FnMut(&TracerNames) -> Explanation,
) -> Rules {
    if !tracers.is_empty() {
        let names = tracers.iter().map(|name| name.trim());
        return Rules::new(&study(&TracerNames::new(names)));
    }
    let usual = TRACERS.into_iter().map(str::to_owned);
    let mut names: Vec<String> = usual.chain(words.iter().cloned()).collect();
    let most = names.len() + MOST_NAMES;
    loop {
        let mut explanation = study(&TracerNames::new(names.iter().cloned()));
        let rules = Rules::new(&explanation);
        let unknown = rules.unknown_tracers.iter().map(|(name, _)| name.clone());
        let before = names.len();
        names.extend(unknown.take(most - before));
        if names.len() == before {
            let chosen = |name: &String| rules.chosen.iter().any(|(chosen, _)| chosen == name);
            explanation.tracers.retain(chosen);
            return Rules::new(&explanation);
        }
    }
}

/// Maximum number of names taken from a selector's decisions. Bounds selectors that generate a
/// new name for every context.
const MOST_NAMES: usize = 64;

fn print(rules: &Rules, format: ExplainFormat, printer: &Printer) {
    match format {
        ExplainFormat::Text => {
            let columns = terminal_size::terminal_size().map(|(columns, _)| columns.0.into());
            printer.rules(&rules.text(columns.unwrap_or(COLUMNS)));
        }
        ExplainFormat::Json => printer.json(&rules.to_json()),
        ExplainFormat::Mermaid => printer.block(rules.to_mermaid().trim_end()),
        ExplainFormat::Svg => printer.block(rules.to_svg().trim_end()),
    }
}

fn write(path: &Path, rules: &Rules, format: ExplainFormat, printer: &Printer) -> Result<()> {
    let text = match format {
        ExplainFormat::Text => rules.text(COLUMNS).to_string(),
        ExplainFormat::Json => format!("{}\n", rules.to_json()),
        ExplainFormat::Mermaid => rules.to_mermaid(),
        ExplainFormat::Svg => rules.to_svg(),
    };
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    printer.progress(format_args!("wrote {}", path.display()));
    Ok(())
}
