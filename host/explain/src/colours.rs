//! The colours of the drawings: a muted colour for each tracer, grey for abstaining, and a
//! red outline for errors.

/// A colour for light and dark backgrounds.
pub(super) struct Colours {
    pub(super) light: Colour,
    pub(super) dark: Colour,
}

/// The fill colour, the colour of the border and the incoming edges, and the text colour.
pub(super) struct Colour {
    pub(super) fill: &'static str,
    pub(super) line: &'static str,
    pub(super) ink: &'static str,
}

const fn colours(light: [&'static str; 3], dark: [&'static str; 3]) -> Colours {
    const fn colour([fill, line, ink]: [&'static str; 3]) -> Colour {
        Colour { fill, line, ink }
    }
    Colours {
        light: colour(light),
        dark: colour(dark),
    }
}

/// The colours by the position of a tracer in the registry, repeated after the last one.
/// Adjacent colours are easy to tell apart, and none is red.
pub(super) const TRACERS: [Colours; 10] = [
    colours(
        ["#dce9fb", "#5b8fd6", "#1d4477"],
        ["#1c2f4a", "#6a9be0", "#d3e4fc"],
    ),
    colours(
        ["#d9f0e0", "#4fa571", "#1c5434"],
        ["#17352a", "#5bb380", "#cdf0da"],
    ),
    colours(
        ["#e9e2fb", "#9079d6", "#46307f"],
        ["#2d2547", "#9f8ce0", "#e4dcfc"],
    ),
    colours(
        ["#fbecc8", "#d0a03c", "#64470a"],
        ["#3a2f17", "#d2a650", "#f7e5b8"],
    ),
    colours(
        ["#d3efef", "#45a3a6", "#124f52"],
        ["#143536", "#4fb0b3", "#c8eeee"],
    ),
    colours(
        ["#fae1ef", "#cc77a8", "#742553"],
        ["#3d2233", "#d487b4", "#f9d9ea"],
    ),
    colours(
        ["#e9efcc", "#98a640", "#4a5314"],
        ["#2d3218", "#a8b555", "#e8efc4"],
    ),
    colours(
        ["#f3e4d7", "#b98a63", "#64411f"],
        ["#362a1f", "#c29a78", "#f2e2d3"],
    ),
    colours(
        ["#d5eefb", "#4aa3cf", "#0f4a68"],
        ["#13323f", "#5cb0d8", "#cbebfb"],
    ),
    colours(
        ["#e1e4fb", "#7682d8", "#2b3485"],
        ["#24284a", "#8a95e2", "#dce0fd"],
    ),
];

pub(super) const ABSTAINS: Colours = colours(
    ["#eceff3", "#a6afbb", "#4a535f"],
    ["#262c35", "#697485", "#c6cdd7"],
);

pub(super) const FALLBACK: Colours = colours(
    ["#fff6f4", "#d9604c", "#9a2f1f"],
    ["#2a1a18", "#e0705c", "#ffc4b8"],
);

pub(super) const QUESTION: Colours = colours(
    ["#36424f", "#36424f", "#ffffff"],
    ["#d5dce5", "#d5dce5", "#141a21"],
);

/// The colours of the page: background, border, text, and less prominent text.
pub(super) struct Page {
    pub(super) ground: &'static str,
    pub(super) border: &'static str,
    pub(super) ink: &'static str,
    pub(super) faint: &'static str,
    /// The colour of edges that lead to more than one outcome.
    pub(super) line: &'static str,
}

pub(super) const LIGHT: Page = Page {
    ground: "#ffffff",
    border: "#e3e7ec",
    ink: "#1d252e",
    faint: "#66717f",
    line: "#bcc5d0",
};

pub(super) const DARK: Page = Page {
    ground: "#12171d",
    border: "#2b333d",
    ink: "#e8edf3",
    faint: "#94a0ae",
    line: "#4a5563",
};
