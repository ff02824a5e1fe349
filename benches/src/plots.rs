//! The plots: one SVG file each, readable without a legend.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const INK: RGBColor = RGBColor(40, 44, 52);
const FAINT: RGBColor = RGBColor(225, 228, 232);
/// Colours that colour-blind readers can distinguish (Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(110, 110, 110),
];

/// One line of a plot.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

impl Line {
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        // A logarithmic axis cannot show zero.
        let seen = |point: &(f64, f64)| point.0 > 0.0 && point.1 > 0.0;
        Self {
            name: name.into(),
            points: points.into_iter().filter(seen).collect(),
        }
    }
}

/// Writes plots to a directory and counts them.
pub struct Plots {
    folder: PathBuf,
}

impl Plots {
    pub fn into_folder(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Lines over two logarithmic axes, each labelled at its right end.
    pub fn lines(
        &self,
        file: &str,
        title: &str,
        (x_title, y_title): (&str, &str),
        lines: &[Line],
    ) -> Result<()> {
        let points = || lines.iter().flat_map(|line| &line.points);
        if points().next().is_none() {
            return Ok(());
        }
        let bounds = |of: fn(&(f64, f64)) -> f64| {
            let values = points().map(of);
            values.fold((f64::MAX, f64::MIN), |(low, high), x| {
                (low.min(x), high.max(x))
            })
        };
        let (left, right) = bounds(|point| point.0);
        let right = right.max(left * 2.0);
        let (low, high) = bounds(|point| point.1);
        let (low, high) = (low / 1.3, high * 1.3);
        let path = self.folder.join(file);
        let area = SVGBackend::new(&path, (860, 500)).into_drawing_area();
        drawn((|| {
            area.fill(&WHITE)?;
            let mut chart = ChartBuilder::on(&area)
                .caption(title, text(20))
                .margin(16)
                .margin_right(190)
                .x_label_area_size(44)
                .y_label_area_size(70)
                .build_cartesian_2d(
                    (left..right)
                        .log_scale()
                        .with_key_points(ticks(left, right)),
                    (low..high).log_scale().with_key_points(ticks(low, high)),
                )?;
            chart
                .configure_mesh()
                .bold_line_style(FAINT)
                .light_line_style(TRANSPARENT)
                .axis_style(INK)
                .label_style(text(13))
                .x_desc(x_title)
                .y_desc(y_title)
                .x_label_formatter(&|x| short(*x))
                .y_label_formatter(&|y| short(*y))
                .draw()?;
            for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
                let points = || line.points.iter().copied();
                chart.draw_series(LineSeries::new(points(), colour.stroke_width(2)))?;
                chart.draw_series(points().map(|at| Circle::new(at, 3, colour.filled())))?;
            }
            let ends = lines.iter().filter_map(|line| line.points.last());
            let ends: Vec<(i32, i32)> = ends.map(|end| chart.backend_coord(end)).collect();
            name_ends(&area, lines, &ends)
        })())?;
        self.done(&path, area)
    }

    /// Bars over one logarithmic axis, the first at the top, each with its figure.
    pub fn bars(&self, file: &str, title: &str, unit: &str, bars: &[(String, f64)]) -> Result<()> {
        let height = 90 + 24 * bars.len() as u32;
        let path = self.folder.join(file);
        let area = SVGBackend::new(&path, (860, height)).into_drawing_area();
        let high = bars.iter().map(|bar| bar.1).fold(1.0, f64::max);
        let low = bars.iter().map(|bar| bar.1).fold(high, f64::min).max(1e-3);
        // Keeps the bar of the smallest figure visible.
        let place = |value: f64| (value / low * 1.5).ln() / (high / low * 1.5).ln();
        drawn((|| {
            area.fill(&WHITE)?;
            area.draw(&Text::new(title.to_owned(), (16, 14), text(20)))?;
            for (row, (name, value)) in bars.iter().enumerate() {
                let y = 54 + 24 * row as i32;
                let colour = if name.starts_with("Spanmux") {
                    COLOURS[0]
                } else {
                    RGBColor(170, 176, 184)
                };
                let right = 270 + (place(*value) * 470.0) as i32;
                let left = text(13).pos(Pos::new(HPos::Right, VPos::Center));
                area.draw(&Text::new(name.clone(), (262, y + 8), left))?;
                area.draw(&Rectangle::new(
                    [(270, y), (right, y + 16)],
                    colour.filled(),
                ))?;
                let figure = format!("{} {unit}", short(*value));
                let style = text(13).pos(Pos::new(HPos::Left, VPos::Center));
                area.draw(&Text::new(figure, (right + 6, y + 8), style))?;
            }
            let foot = "The axis is logarithmic.";
            area.draw(&Text::new(foot, (270, height as i32 - 28), text(12)))
        })())?;
        self.done(&path, area)
    }

    fn done(&self, path: &Path, area: DrawingArea<SVGBackend<'_>, Shift>) -> Result<()> {
        drawn(area.present())?;
        drop(area);
        let file = path.file_name().unwrap_or_default();
        println!("\nplot: `{}`", file.to_string_lossy());
        Ok(())
    }
}

/// Round numbers from `low` to `high` on a logarithmic axis: the more decades, the fewer numbers.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let decades = (high / low).log10();
    let steps: &[f64] = match decades {
        many if many > 3.0 => &[1.0],
        some if some > 1.2 => &[1.0, 2.0, 5.0],
        _ => &[1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
    };
    let first = low.log10().floor() as i32;
    let last = high.log10().ceil() as i32;
    (first..=last)
        .flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)))
        .filter(|tick| (low..=high).contains(tick))
        .collect()
}

/// Labels each line at its end without overlaps.
fn name_ends(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    lines: &[Line],
    ends: &[(i32, i32)],
) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
    let named = lines.iter().filter(|line| !line.points.is_empty());
    let mut labels: Vec<_> = named.zip(ends).zip(COLOURS.iter().cycle()).collect();
    labels.sort_by_key(|((_, end), _)| end.1);
    let mut free = i32::MIN;
    for ((line, end), colour) in labels {
        let y = end.1.max(free);
        free = y + 16;
        let style = text(13)
            .color(colour)
            .pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(line.name.clone(), (end.0 + 10, y), style))?;
    }
    Ok(())
}

fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

fn drawn<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T> {
    result.map_err(|error| anyhow!("a plot: {error}"))
}

/// Formats 20k and 3M instead of many zeros.
fn short(value: f64) -> String {
    match value {
        millions if millions >= 1e6 => format!("{}M", digits(millions / 1e6)),
        thousands if thousands >= 1e4 => format!("{}k", digits(thousands / 1e3)),
        rest => digits(rest),
    }
}

fn digits(value: f64) -> String {
    crate::report::number(value)
}
