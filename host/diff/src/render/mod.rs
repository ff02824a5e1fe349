//! A comparison as text, JSON, Markdown and HTML, and the sentences that they share.

mod html;
mod json;
mod markdown;
mod text;

use spanmux_core::explanation::{name, printable};

use crate::comparison::{Change, Comparison, Difference, ExploredGroup, GivenDifference, Status};
use crate::joint::json_text;

/// Maximum number of differences, and again of given contexts, that a person is shown for one
/// change. JSON contains all.
const SHOWN: usize = 12;

impl Difference {
    /// Returns the smallest context as JSON on one line.
    pub fn example(&self) -> String {
        printable(&json_text(&self.example))
    }
}

impl GivenDifference {
    fn line(&self) -> (String, String) {
        (printable(&self.label), printable(&self.context.to_string()))
    }
}

impl Comparison {
    /// Returns the relation of the files in one sentence.
    fn files(&self) -> String {
        if self.identical {
            return "Both have the same selectors in the same order.".to_owned();
        }
        let mut parts: Vec<String> = self.groups.iter().filter_map(changed).collect();
        let same = self
            .groups
            .iter()
            .filter(|group| group.status == Status::Same);
        match (same.count(), parts.is_empty()) {
            (0, _) => {}
            (_, true) => parts.push("the same selectors in another order".to_owned()),
            (same, false) => parts.push(format!("{same} the same")),
        }
        sentence(&parts)
    }

    /// Returns the number of differing decisions in one sentence.
    fn verdict(&self) -> String {
        match self.changes.len() {
            0 => "No difference was found.".to_owned(),
            1 => "1 kind of decision differs.".to_owned(),
            kinds => format!("{kinds} kinds of decisions differ."),
        }
    }

    /// Returns the share of the given contexts that show a change, such as `, 1 of 3 given`, if any
    /// context was given.
    fn given_share(&self, change: &Change) -> Option<String> {
        (self.given > 0).then(|| format!(", {} of {} given", change.given.len(), self.given))
    }

    /// Returns the sentences about the exploration with their headings.
    fn extent(&self) -> [(&'static str, Vec<String>); 2] {
        [
            ("Explored", self.explored()),
            ("Not explored", self.not_explored()),
        ]
    }

    /// Returns sentences about the contexts that were tried.
    fn explored(&self) -> Vec<String> {
        if self.identical {
            return vec!["Nothing was run, because equal files decide alike.".to_owned()];
        }
        let groups = self.groups.iter().map(|group| {
            format!(
                "{}: {} made-up contexts from {} words of its files.",
                title(group),
                group.contexts,
                group.words
            )
        });
        let mut lines: Vec<String> = groups.collect();
        lines.push(format!(
            "{} combinations of contexts of several selectors.",
            self.combined
        ));
        if self.given > 0 {
            lines.push(format!("{} given contexts.", self.given));
        }
        lines
    }

    /// Returns sentences about the contexts that were not tried.
    fn not_explored(&self) -> Vec<String> {
        if self.identical {
            return Vec::new();
        }
        let mut lines = Vec::new();
        for group in self.groups.iter().filter(|group| group.left > 0) {
            lines.push(format!(
                "{}: {} questions were not answered in every way, because the budget was spent; \
                 raise --budget.",
                title(group),
                group.left
            ));
        }
        for group in self.groups.iter().filter(|group| group.words == 0) {
            lines.push(format!(
                "{}: no words were found in its files, so rules for particular values may be \
                 missed; pass --contexts.",
                title(group)
            ));
        }
        for group in self.groups.iter().filter(|group| group.sampled) {
            lines.push(format!(
                "{}: combinations of several values that no rule distinguishes on their own, beyond \
                 a sample; --budget raises it.",
                title(group)
            ));
        }
        if self.combinations_left > 0 {
            lines.push(format!(
                "{} combinations are left, because the budget was spent; raise --budget.",
                self.combinations_left
            ));
        }
        if self.undetermined > 0 {
            lines.push(format!(
                "{} contexts without a reproducible decision (time, load) were not compared.",
                self.undetermined
            ));
        }
        lines.push(
            "Values that are in no file and no given context; buckets beyond 200 evenly spread ones \
             of one question; combinations of three selectors beyond a sample."
                .to_owned(),
        );
        lines.push(
            "Texts of reasons and the names of deciding selectors are not compared.".to_owned(),
        );
        lines
    }
}

fn changed(group: &ExploredGroup) -> Option<String> {
    match group.status {
        Status::Same => None,
        Status::Replaced => Some(format!(
            "{} replaced by {}",
            names(&group.old),
            names(&group.new)
        )),
        status => Some(format!("{} {}", title(group), status.as_str())),
    }
}

fn title(group: &ExploredGroup) -> String {
    match group.status {
        Status::Added => names(&group.new),
        Status::Replaced => names(&[&group.old[..], &group.new].concat()),
        _ if group.old != group.new && !group.new.is_empty() => {
            format!("{} → {}", names(&group.old), names(&group.new))
        }
        _ => names(&group.old),
    }
}

fn names(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|each| name(each)).collect();
    names.join(", ")
}

fn sentence(parts: &[String]) -> String {
    if parts.is_empty() {
        return "Both policies are empty.".to_owned();
    }
    format!("{}.", parts.join(", "))
}

/// Returns `and N more` for the items that are not shown.
fn more(all: usize) -> Option<String> {
    let more = all.saturating_sub(SHOWN);
    (more > 0).then(|| format!("and {more} more"))
}

fn contexts(number: usize) -> String {
    match number {
        1 => "1 context".to_owned(),
        number => format!("{number} contexts"),
    }
}
