//! Limits by name, for settings in another language.

use std::time::Duration;

use spanmux_component::Limits;

/// Creates limits from the names of the fields of [`Limits`] and numbers. Durations are seconds.
///
/// # Errors
/// Returns a message that names the limit, if no limit has the name or the number does not fit.
///
/// # Examples
/// ```
/// let limits = spanmux_embed::limits([("sandboxes", 4.0), ("wall_clock", 0.5)])?;
/// assert_eq!(limits.sandboxes, 4);
/// # Ok::<(), String>(())
/// ```
pub fn limits<'n>(given: impl IntoIterator<Item = (&'n str, f64)>) -> Result<Limits, String> {
    let mut limits = Limits::default();
    for (name, value) in given {
        let whole = || whole(name, value);
        let size =
            || usize::try_from(whole()?).map_err(|error| format!("limits[{name:?}]: {error}"));
        let seconds = || {
            Duration::try_from_secs_f64(value).map_err(|error| format!("limits[{name:?}]: {error}"))
        };
        limits = match name {
            "component_bytes" => limits.component_bytes(size()?),
            "memory_bytes" => limits.memory_bytes(size()?),
            "fuel" => limits.fuel(whole()?),
            "wall_clock" => limits.wall_clock(seconds()?),
            "sandboxes" => limits.sandboxes(size()?),
            "admission_wait" => limits.admission_wait(seconds()?),
            "selectors" => limits.selectors(size()?),
            "cached_answers" => limits.cached_answers(size()?),
            "cached_bytes" => limits.cached_bytes(size()?),
            _ => {
                return Err(format!(
                    "no limit is named {name:?}; available: component_bytes, memory_bytes, fuel, \
                     wall_clock, sandboxes, admission_wait, selectors, cached_answers, cached_bytes"
                ));
            }
        };
    }
    Ok(limits)
}

/// The largest integer that every number of 64 bits represents exactly.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

fn whole(name: &str, value: f64) -> Result<u64, String> {
    if value.fract() == 0.0 && (0.0..=MAX_SAFE_INTEGER).contains(&value) {
        return Ok(value as u64);
    }
    Err(format!(
        "limits[{name:?}]: expected a whole number that is not negative, found {value}"
    ))
}
