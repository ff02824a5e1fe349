//! The rules as a self-contained SVG image without scripts, fonts or external files, for
//! light and dark pages.

mod layout;
mod legend;
mod measure;
mod style;
mod xml;

use std::fmt::Write as _;

use super::colours::TRACERS;
use super::prune::excerpt;
use super::rules::Rules;
use super::words::{count, percent, printable, shorten, thousands};
use layout::{Chip, Kind, Layout, Line, Pill, layout};
use legend::Item;
use xml::Xml;

/// The outer margin.
const MARGIN: f64 = 30.0;
/// The top of the tree, below the title.
const TOP: f64 = 92.0;
const CHIP: f64 = 26.0;
const NARROWEST: f64 = 460.0;
/// Maximum length of a title, in characters.
const TITLE: usize = 60;
/// Distance from the middle of a text line to its baseline. Not every viewer supports
/// vertical centring.
const BASELINE: f64 = 4.4;
/// Line height of the legend.
const LEGEND: f64 = 26.0;

impl Rules {
    /// Renders the rules as an SVG image.
    ///
    /// Questions are on the left and tracers on the right. The width of an edge shows its
    /// share of the decisions. Texts that are shortened for lack of space are complete in a
    /// tooltip. Branches that are omitted for readability are counted.
    pub fn to_svg(&self) -> String {
        let mut svg = Svg {
            rules: self,
            body: String::new(),
        };
        let (width, height) = svg.draw();
        let mut image = String::new();
        let name = printable(&self.selector);
        let about = format!("Decisions of the selector {name}");
        let _ = write!(
            image,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"spanmux\" width=\"{width:.0}\" \
             height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
             aria-label=\"{about}\">\n<title>{about}</title>\n<style>{style}</style>\n\
             <rect class=\"g\" x=\".5\" y=\".5\" width=\"{w:.0}\" height=\"{h:.0}\" rx=\"12\"/>\n",
            about = Xml(&about),
            style = style::sheet(self.tracers.len()),
            w = width - 1.0,
            h = height - 1.0,
        );
        image.push_str(&svg.body);
        image.push_str("</svg>\n");
        image
    }
}

struct Svg<'a> {
    rules: &'a Rules,
    body: String,
}

impl Svg<'_> {
    /// Draws everything. Returns the width and height of the image.
    fn draw(&mut self) -> (f64, f64) {
        let title_width = self.title();
        let Some(root) = excerpt(self.rules) else {
            self.text(MARGIN, TOP + 12.0, "f", "No decisions yet.");
            return (NARROWEST.max(title_width + 2.0 * MARGIN), TOP + 60.0);
        };
        let tree = layout(&root, self.rules.hits);
        let counts = if self.rules.hits == 0 { 0.0 } else { 108.0 };
        let inner = (tree.chips_to + counts)
            .max(NARROWEST - 2.0 * MARGIN)
            .max(title_width);
        self.tree(&tree);
        let end = self.legend(TOP + tree.height + 30.0, inner);
        (inner + 2.0 * MARGIN, end)
    }

    fn title(&mut self) -> f64 {
        let rules = self.rules;
        let title = shorten(&printable(&rules.selector), TITLE);
        self.text(MARGIN, 38.0, "h", &title);
        let mut about = vec![rules.basis()];
        if let Some(digest) = rules.digest.as_deref().and_then(|digest| digest.get(..12)) {
            about.push(printable(digest));
        }
        let about = about.join("  ·  ");
        self.text(MARGIN, 62.0, "f", &about);
        measure::proportional(&title, 19.0 * 1.08).max(measure::proportional(&about, 12.5))
    }

    fn tree(&mut self, tree: &Layout) {
        // Thick edges are drawn below thin ones.
        let mut lines: Vec<&Line> = tree.lines.iter().collect();
        lines.sort_by(|a, b| b.thick.total_cmp(&a.thick));
        for line in lines {
            self.line(line);
        }
        for line in &tree.lines {
            self.label(line);
        }
        for pill in &tree.pills {
            self.pill(pill);
        }
        for chip in &tree.chips {
            self.chip(chip, tree);
        }
    }

    fn line(&mut self, line: &Line) {
        let (from_x, from_y) = (MARGIN + line.from.0, TOP + line.from.1);
        let (bent_x, bent_y) = (MARGIN + line.bent.0, TOP + line.bent.1);
        let half = (from_x + bent_x) / 2.0;
        let class = self.class(&line.kind);
        let _ = writeln!(
            self.body,
            "<path class=\"e {class}\" stroke-width=\"{:.1}\" d=\"M{from_x:.1} {from_y:.1}\
             C{half:.1} {from_y:.1} {half:.1} {bent_y:.1} {bent_x:.1} {bent_y:.1}H{:.1}\"/>",
            line.thick,
            MARGIN + line.to,
        );
    }

    /// Draws the answers above their edge.
    fn label(&mut self, line: &Line) {
        let tip = match self.rules.hits {
            0 => line.tip.clone(),
            all => format!(
                "{} — {}, {}",
                line.tip,
                count(line.hits, "decision", "decisions"),
                percent(line.hits, all)
            ),
        };
        let y = TOP + line.bent.1 - line.thick / 2.0 - 5.5;
        let _ = writeln!(
            self.body,
            "<text class=\"k\" x=\"{:.1}\" y=\"{y:.1}\">{}<title>{}</title></text>",
            MARGIN + line.bent.0,
            Xml(&line.label),
            Xml(&tip),
        );
    }

    fn pill(&mut self, pill: &Pill) {
        let (x, y) = (MARGIN + pill.x, TOP + pill.y);
        let middle = x + pill.width / 2.0;
        let _ = write!(
            self.body,
            "<g class=\"q\"><title>{}</title><rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" \
             height=\"{:.0}\" rx=\"{:.0}\"/>",
            Xml(&pill.tip),
            y - pill.height / 2.0,
            pill.width,
            pill.height,
            pill.height / 2.0,
        );
        let up = if pill.small.is_some() { 7.0 } else { 0.0 };
        let _ = write!(
            self.body,
            "<text class=\"k b\" text-anchor=\"middle\" x=\"{middle:.1}\" y=\"{:.1}\">{}</text>",
            y - up + BASELINE,
            Xml(&pill.words)
        );
        if let Some(small) = &pill.small {
            let _ = write!(
                self.body,
                "<text class=\"s\" text-anchor=\"middle\" x=\"{middle:.1}\" y=\"{:.1}\">{}</text>",
                y + 12.5,
                Xml(small)
            );
        }
        self.body.push_str("</g>\n");
    }

    fn chip(&mut self, chip: &Chip, tree: &Layout) {
        let (x, y) = (MARGIN + tree.chips_from, TOP + chip.y);
        let class = self.class(&chip.kind);
        let _ = writeln!(
            self.body,
            "<g class=\"{class}\"><title>{}</title><rect x=\"{x:.1}\" y=\"{:.1}\" \
             width=\"{:.1}\" height=\"{CHIP:.0}\" rx=\"7\"/>\
             <text class=\"b\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
            Xml(&chip.tip),
            y - CHIP / 2.0,
            chip.width,
            x + 13.0,
            y + BASELINE,
            Xml(&chip.words),
        );
        if self.rules.hits > 0 {
            let right = MARGIN + tree.chips_to;
            self.number(right + 56.0, y, "n", &thousands(chip.hits));
            let share = percent(chip.hits, self.rules.hits);
            self.number(right + 104.0, y, "n f", &share);
        }
    }

    /// Draws the tracers with the number of decisions for each, and those never chosen.
    fn legend(&mut self, top: f64, width: f64) -> f64 {
        let items = legend::items(self.rules);
        let _ = writeln!(
            self.body,
            "<path class=\"r\" d=\"M{MARGIN} {top:.1}H{:.1}\"/>",
            MARGIN + width
        );
        let (mut x, mut y) = (0.0, top + 28.0);
        for item in items {
            let wide = item.width();
            if x > 0.0 && (item.begins_line || x + wide > width) {
                (x, y) = (0.0, y + LEGEND);
            }
            self.item(MARGIN + x, y, &item);
            x += wide + 22.0;
        }
        y + 30.0
    }

    fn item(&mut self, x: f64, y: f64, item: &Item) {
        let class = self.class(&item.kind);
        let open = if item.faint { " o" } else { "" };
        let faint = if item.faint { "f" } else { "" };
        if item.dot() > 0.0 {
            let _ = writeln!(
                self.body,
                "<circle class=\"{class}{open}\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4.5\" \
                 stroke-width=\"1.5\"/>",
                x + 5.0,
            );
        }
        self.text(x + item.dot(), y, faint, &item.name);
        if let Some(count) = &item.count {
            let after = x + item.dot() + item.name_width() + Item::APART;
            self.text(after, y, "n f", count);
        }
    }

    /// Draws a text, vertically centred at `y`.
    fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let y = y + BASELINE;
        let text = Xml(text);
        let _ = writeln!(
            self.body,
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"
        );
    }

    /// Draws a right-aligned number.
    fn number(&mut self, x: f64, y: f64, class: &str, text: &str) {
        let y = y + BASELINE;
        let text = Xml(text);
        let _ = writeln!(
            self.body,
            "<text class=\"{class}\" text-anchor=\"end\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"
        );
    }

    fn class(&self, kind: &Kind) -> String {
        match kind {
            Kind::Tracer(name) => {
                let place = self.rules.tracers.iter().position(|tracer| tracer == name);
                format!("t{}", place.unwrap_or_default() % TRACERS.len())
            }
            Kind::Abstains => "a".to_owned(),
            Kind::Fallback => "x".to_owned(),
            Kind::Mixed => "m".to_owned(),
        }
    }
}
