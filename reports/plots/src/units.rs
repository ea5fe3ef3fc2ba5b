//! Numbers as people read them. The spaces inside are ones at which no line breaks.

/// Nanoseconds in the unit that fits, with three digits that matter: `1.24 s`, `870 µs`.
pub(crate) fn span(nanos: u64) -> String {
    const MINUTE: u64 = 60_000_000_000;
    if nanos == 0 {
        return "0 s".into();
    }
    if nanos >= 10 * MINUTE {
        return format!("{} min", count(nanos.div_ceil(MINUTE / 2) / 2));
    }
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns")];
    // What would be rounded up to a thousand of a unit is one of the next.
    let fits = |unit: u64| nanos as f64 / unit as f64 >= 0.999_5;
    let (unit, name) = units.into_iter().find(|(unit, _)| fits(*unit)).unwrap_or((1, "ns"));
    format!("{}\u{a0}{name}", digits(nanos as f64 / unit as f64))
}

/// A number with three digits that matter, without zeros at its end.
pub(crate) fn digits(number: f64) -> String {
    let places = match number.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{number:.places$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A number with its thousands apart: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `1 run`, `2 runs`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{}\u{a0}{noun}{plural}", count(number))
}

/// A part of a whole: `3.2 %`. What is not nothing is never shown as nothing, nor what is not all as all.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".into();
    }
    let share = 100.0 * part as f64 / whole as f64;
    match part {
        0 => "0\u{a0}%".into(),
        _ if part == whole => "100\u{a0}%".into(),
        _ if share < 0.01 => "<\u{2009}0.01\u{a0}%".into(),
        _ if share > 99.99 => ">\u{2009}99.99\u{a0}%".into(),
        _ if share > 99.0 => format!("{share:.2}\u{a0}%"),
        _ => format!("{}\u{a0}%", digits(share)),
    }
}

/// `text` with a capital letter at its beginning.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        text.replace('\u{a0}', " ").replace('\u{2009}', "")
    }

    #[test]
    fn a_span_has_the_unit_that_fits() {
        let shown = [0, 7, 1_500, 870_000, 12_340_000, 999_700_000, 1_236_000_000, 61_000_000_000]
            .map(|nanos| plain(&span(nanos)));
        assert_eq!(shown, ["0 s", "7 ns", "1.5 µs", "870 µs", "12.3 ms", "1 s", "1.24 s", "61 s"]);
        assert_eq!(span(660_000_000_000), "11 min");
    }

    #[test]
    fn thousands_stand_apart() {
        let shown = [0, 999, 1_000, 1_234_567].map(count);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn what_is_not_nothing_is_not_shown_as_nothing() {
        let shown = [(0, 9), (1, 1_000_000), (999_999, 1_000_000), (9, 9), (16, 500)]
            .map(|(part, whole)| plain(&percent(part, whole)));
        assert_eq!(shown, ["0 %", "<0.01 %", ">99.99 %", "100 %", "3.2 %"]);
        assert_eq!(percent(0, 0), "–");
    }
}
