//! Numbers and times as people read them.

use contract::Span;

/// Three digits of a length of time: `3.22s`, `740ms`, `12.5us`.
pub(super) fn time(span: Span) -> String {
    let nanos = span.as_nanos();
    let (unit, name) = match nanos {
        0 => return "0s".to_owned(),
        1..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "us"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let whole = nanos / unit;
    let hundredths = nanos % unit * 100 / unit;
    match whole {
        0..10 if hundredths > 0 => format!("{whole}.{hundredths:02}{name}"),
        10..100 if hundredths >= 10 => format!("{whole}.{}{name}", hundredths / 10),
        _ => format!("{whole}{name}"),
    }
}

/// A number with its thousands apart: `1,234,567`.
pub(super) fn count(number: u64) -> String {
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

/// `1 node`, `2 nodes`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_three_digits() {
        let shown = |nanos| time(Span::from_nanos(nanos));
        assert_eq!(shown(3_217_654_321), "3.21s");
        assert_eq!(shown(740_000_000), "740ms");
        assert_eq!(shown(12_560), "12.5us");
        assert_eq!(shown(61_000_000_000), "61s");
        assert_eq!(shown(2_000_000_000), "2s");
        assert_eq!(shown(0), "0s");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,567"],
            [0, 999, 1_000, 1_234_567].map(count).as_slice()
        );
        assert_eq!(counted(1, "node"), "1 node");
        assert_eq!(counted(1_000, "node"), "1,000 nodes");
    }
}
