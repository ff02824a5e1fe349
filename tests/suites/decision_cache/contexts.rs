//! Random runtime contexts with small differences, each built in many ways.

use fastrand::Rng;
use spanmux::{ContextView, RootSpan, RuntimeContext, Value};

/// 2^53 - 1
const SAFE: i128 = 9_007_199_254_740_991;

/// Keys that collide: objects, their members, and keys that look like members.
const KEYS: [&str; 20] = [
    "tenant",
    "user",
    "user.id",
    "user.tier",
    "user.",
    "a",
    "a.b",
    "a.b.c",
    "",
    ".",
    "größe",
    "gro\u{308}ße",
    "env",
    "Env",
    "span",
    "span.name",
    "span.kind",
    "span.http.route",
    "span.größe",
    "acme",
];
/// Start attributes of a root span. Two of them can never be read.
const ATTRIBUTES: [&str; 6] = ["http.route", "größe", "", "name", "kind", "user"];
/// Names of members that form the dotted keys above.
pub(crate) const MEMBERS: [&str; 8] = ["id", "tier", "b", "b.c", "c", "", "name", "größe"];

/// An intended value, before it is passed to one of the constructors.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    Null,
    Boolean(bool),
    /// Wider than any accepted integer, because JSON text may contain unsigned 64-bit integers.
    Integer(i128),
    Float(f64),
    Text(String),
    Array(Vec<Plan>),
    Object(Vec<(String, Plan)>),
}

/// An intended context with its root span.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContextPlan {
    entries: Vec<(String, Plan)>,
    span: Option<SpanPlan>,
}

#[derive(Clone, Debug)]
struct SpanPlan {
    name: &'static str,
    kind: &'static str,
    attributes: Vec<(String, Plan)>,
}

/// Returns a few keys, and contexts over these keys and over a few values, so that the contexts
/// share much and differ little.
pub(crate) fn random_contexts(
    rng: &mut Rng,
    count: usize,
) -> (Vec<&'static str>, Vec<ContextPlan>) {
    // Few keys, so that a selector asks for most of them.
    let few_keys = rng.usize(2..=4);
    let keys = rng.choose_multiple(KEYS, few_keys);
    let palette = palette(rng);
    let mut plans = vec![ContextPlan::random(rng, &keys, &palette)];
    while plans.len() < count {
        plans.push(match rng.u8(..16) {
            0 => ContextPlan::default(),
            1 | 2 => ContextPlan::random(rng, &keys, &palette),
            // A copy of another context without one entry.
            _ => {
                let mut next = plans[rng.usize(..plans.len())].clone();
                next.change(rng, &keys, &palette);
                next
            }
        });
    }
    (keys, plans)
}

fn few<T: Clone>(rng: &mut Rng, of: &[T]) -> Vec<T> {
    let count = rng.usize(3..=6);
    let few = rng.choose_multiple(of, count);
    few.into_iter().cloned().collect()
}

/// Returns some values that are easily confused with each other, and some others.
fn palette(rng: &mut Rng) -> Vec<Plan> {
    let mut families = families(rng);
    let alike = families.swap_remove(rng.usize(..families.len()));
    let mut palette = few(rng, &alike);
    palette.extend(rng.choose_multiple(families.into_iter().flatten(), 2));
    palette
}

/// Returns groups of values that are easily confused with each other, and values at limits.
fn families(rng: &mut Rng) -> Vec<Vec<Plan>> {
    use Plan::{Array, Boolean, Float, Integer, Null, Object};
    let text = |text: &str| Plan::Text(text.to_owned());
    let integer = |integer: i128| [Integer(integer), text(&integer.to_string())];
    // Texts with lengths near possible limits, equal at both ends.
    let border = [8, 16, 64, 1024, 4096, 16384][rng.usize(..6)];
    let long = |length: usize, middle: &str| {
        let half = "x".repeat(length / 2);
        Plan::Text(format!("{half}{middle}{}", &half[middle.len()..]))
    };
    vec![
        vec![
            Float(0.0),
            Float(-0.0),
            Integer(0),
            text("0"),
            text(""),
            Null,
            Boolean(false),
        ],
        vec![
            Integer(1),
            Float(1.0),
            text("1"),
            text("1.0"),
            Boolean(true),
            Integer(-1),
            Float(-1.0),
        ],
        vec![
            Null,
            text("null"),
            text(""),
            Array(vec![]),
            text("[]"),
            Object(vec![]),
            text("{}"),
        ],
        vec![
            Array(vec![Integer(1)]),
            Array(vec![Float(1.0)]),
            text("[1]"),
            text("[1.0]"),
            Integer(1),
        ],
        vec![
            Float(f64::NAN),
            Float(f64::INFINITY),
            Float(f64::NEG_INFINITY),
            Float(0.1),
            text("NaN"),
        ],
        vec![
            Float(5e-324),
            Float(0.0),
            Float(1e300),
            Float(1e-300),
            Float(f64::INFINITY),
        ],
        [
            integer(SAFE),
            integer(SAFE + 1),
            [Float(SAFE as f64), Float((SAFE + 1) as f64)],
        ]
        .concat(),
        [
            integer(-SAFE),
            integer(-SAFE - 1),
            [Float(-SAFE as f64), Integer(SAFE)],
        ]
        .concat(),
        [i64::MIN.into(), i64::MAX.into(), u64::MAX.into()]
            .map(integer)
            .concat(),
        ["acme", "Acme", "acme ", "é", "e\u{301}"].map(text).into(),
        // Keys and suffixes of keys, for questions that are built from answers.
        ["tenant", "tier", "id", "env", "user.tier", ""]
            .map(text)
            .into(),
        vec![
            long(border - 2, "y"),
            long(border, "y"),
            long(border, "z"),
            Plan::Text("x".repeat(border + 1)),
            Plan::Text("x".repeat(border) + "y"),
        ],
        vec![
            long(300, "y"),
            long(300, "z"),
            long(5000, "y"),
            long(70_000, "y"),
        ],
        vec![
            Array(vec![long(border, "y")]),
            Array(vec![long(border, "z")]),
            long(border, "y"),
        ],
    ]
}

impl Plan {
    fn random(rng: &mut Rng, palette: &[Plan]) -> Self {
        match rng.u8(..3) {
            0 => Self::object(rng, palette, 0),
            _ => palette[rng.usize(..palette.len())].clone(),
        }
    }

    fn object(rng: &mut Rng, palette: &[Plan], depth: usize) -> Self {
        let mut members: Vec<(String, Plan)> = Vec::new();
        for name in few(rng, &MEMBERS) {
            let value = match rng.u8(..4) {
                0 if depth < 3 => Self::object(rng, palette, depth + 1),
                _ => palette[rng.usize(..palette.len())].clone(),
            };
            if value.fits_json() && value.longest() < if depth == 0 { 5_000 } else { 300 } {
                members.push((name.to_owned(), value));
            }
        }
        Plan::Object(members)
    }

    /// Returns `true` if JSON can represent the value.
    fn fits_json(&self) -> bool {
        !matches!(self, Plan::Float(float) if !float.is_finite())
    }

    /// Returns the length of the longest text. Objects of long members of objects would exceed the
    /// limits of a context.
    fn longest(&self) -> usize {
        match self {
            Plan::Text(text) => text.len(),
            Plan::Array(items) => items.iter().map(Plan::longest).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Writes the JSON value in one of many equivalent forms.
    fn write(&self, rng: &mut Rng, out: &mut String) {
        let space = [" ", "", "", "\n\t"][rng.usize(..4)];
        match self {
            Plan::Null => out.push_str("null"),
            Plan::Boolean(boolean) => *out += &boolean.to_string(),
            Plan::Integer(integer) => *out += &integer.to_string(),
            Plan::Float(float) if rng.bool() => *out += &format!("{float:e}"),
            Plan::Float(float) => *out += &format!("{float:?}"),
            Plan::Text(text) => write_text(rng, text, out),
            Plan::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    *out += if at > 0 { "," } else { "" };
                    item.write(rng, out);
                }
                *out += space;
                out.push(']');
            }
            Plan::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                rng.shuffle(&mut members);
                out.push('{');
                for (at, (name, value)) in members.into_iter().enumerate() {
                    *out += if at > 0 { "," } else { "" };
                    *out += space;
                    if rng.u8(..8) == 0 {
                        // A later member of the same name wins.
                        write_text(rng, name, out);
                        *out += ":[\"overwritten\"],";
                    }
                    write_text(rng, name, out);
                    out.push(':');
                    value.write(rng, out);
                }
                out.push('}');
            }
        }
    }

    fn json(&self, rng: &mut Rng) -> String {
        let mut text = String::new();
        self.write(rng, &mut text);
        text
    }
}

fn write_text(rng: &mut Rng, text: &str, out: &mut String) {
    if rng.bool() || text.len() > 100 {
        *out += &serde_json::to_string(text).expect("text is JSON");
        return;
    }
    out.push('"');
    for unit in text.encode_utf16() {
        *out += &format!("\\u{unit:04x}");
    }
    out.push('"');
}

impl ContextPlan {
    /// Returns a context of these entries, without a span.
    pub(crate) fn of<const N: usize>(entries: [(&str, Plan); N]) -> Self {
        Self {
            entries: entries.map(|(key, value)| (key.to_owned(), value)).into(),
            span: None,
        }
    }

    fn random(rng: &mut Rng, keys: &[&str], palette: &[Plan]) -> Self {
        let mut plan = Self::default();
        for key in keys {
            if rng.u8(..10) < 7 {
                let value = Plan::random(rng, palette);
                plan.entries.push(((*key).to_owned(), value));
            }
        }
        if rng.bool() {
            plan.span = Some(SpanPlan::random(rng, palette));
        }
        plan
    }

    /// Changes one entry.
    fn change(&mut self, rng: &mut Rng, keys: &[&str], palette: &[Plan]) {
        if rng.u8(..4) == 0 {
            self.span = match self.span.take() {
                Some(_) if rng.bool() => None,
                _ => Some(SpanPlan::random(rng, palette)),
            };
            return;
        }
        let key = keys[rng.usize(..keys.len())];
        let value = Plan::random(rng, palette);
        match self.entries.iter().position(|(name, _)| name == key) {
            Some(at) if rng.u8(..4) == 0 => drop(self.entries.remove(at)),
            Some(at) => self.entries[at].1 = value,
            None => self.entries.push((key.to_owned(), value)),
        }
    }

    /// Builds one of the many equal contexts, in a random order and with random methods.
    pub(crate) fn build(&self, rng: &mut Rng) -> Asked {
        let span = self.span.as_ref().map(|span| {
            let attributes = build_entries(rng, &span.attributes);
            (span.name, span.kind, attributes)
        });
        Asked {
            context: build_entries(rng, &self.entries),
            span,
        }
    }
}

impl SpanPlan {
    fn random(rng: &mut Rng, palette: &[Plan]) -> Self {
        let attributes = few(rng, &ATTRIBUTES);
        Self {
            name: ["chat", "POST /chat", "", "größe"][rng.usize(..4)],
            kind: ["internal", "server", "client"][rng.usize(..3)],
            attributes: attributes
                .into_iter()
                .map(|key| (key.to_owned(), Plan::random(rng, palette)))
                .collect(),
        }
    }
}

fn build_entries(rng: &mut Rng, entries: &[(String, Plan)]) -> RuntimeContext {
    let mut entries: Vec<_> = entries.iter().collect();
    rng.shuffle(&mut entries);
    if rng.u8(..4) == 0 && entries.iter().all(|(_, value)| value.fits_json()) {
        let whole = entries.into_iter().cloned().collect();
        let text = Plan::Object(whole).json(rng);
        return RuntimeContext::from_json(&text).expect("a context");
    }
    let mut builder = RuntimeContext::builder();
    for (key, value) in entries {
        if rng.u8(..8) == 0 {
            // The last value of a key wins.
            builder = builder.set(key, "overwritten");
        }
        builder = match value {
            value if value.fits_json() && rng.u8(..3) == 0 => {
                let parsed: serde_json::Value =
                    serde_json::from_str(&value.json(rng)).expect("JSON");
                builder.set_json(key, &parsed)
            }
            Plan::Null => builder.set(key, Value::Null),
            Plan::Boolean(boolean) => builder.set(key, *boolean),
            Plan::Float(float) if float.is_nan() => builder.set(key, any_nan(rng)),
            Plan::Float(float) => builder.set(key, *float),
            Plan::Text(text) => builder.set(key, text),
            Plan::Integer(integer) if i64::try_from(*integer).is_ok() => {
                builder.set(key, *integer as i64)
            }
            value => builder.set(key, Value::Json(&value.json(rng))),
        };
    }
    builder.build()
}

/// Returns any NaN. Sign and payload are irrelevant.
fn any_nan(rng: &mut Rng) -> f64 {
    f64::from_bits(rng.u64(..) | f64::INFINITY.to_bits() | 1)
}

/// A built context with its root span.
pub(crate) struct Asked {
    context: RuntimeContext,
    span: Option<(&'static str, &'static str, RuntimeContext)>,
}

impl Asked {
    pub(crate) fn with<T>(&self, ask: impl FnOnce(&ContextView<'_>) -> T) -> T {
        let Some((name, kind, attributes)) = &self.span else {
            return ask(&self.context.view());
        };
        let read = || attributes.clone();
        let span = RootSpan::new(name, kind, &read);
        ask(&self.context.view_with_span(&span))
    }
}
