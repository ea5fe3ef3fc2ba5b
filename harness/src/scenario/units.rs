//! Quantities as a user writes them: always text, always with a unit, never a bare number.
//!
//! Each reads back exactly as it is stored: integers only, so that a scenario means the same run on
//! every platform.

use std::{borrow::Cow, fmt, ops, str::FromStr};

use contract::{NodeId, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use semver::Version;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Runs, Threshold};

/// A value that a scenario writes as a string. Reads as the value itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<T>(pub T);

/// What a [`Text`] can hold.
pub trait Unit: Sized {
    /// The `format` of its JSON schema, by which diagnostics find the parser.
    const NAME: &'static str;
    /// What is expected, for diagnostics and editors: "a time such as `150ms`".
    const EXPECTED: &'static str;

    /// Reads `text`. Errors: what is wrong with it, where more can be said than what was expected.
    fn read(text: &str) -> Result<Self, Option<String>>;
}

/// A part of a whole, in parts per million. Written `2%`, `0.1%` or `50 ppm`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share {
    /// Parts per million, at most a million.
    pub ppm: u32,
}

/// How often something happens. Written `20/s`, `5/ms` or `3/min`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many times, at least once,
    pub count: u64,
    /// in this long.
    pub per: Span,
}

/// How much a link carries. Written `10 Mbit/s`, `256 kbit/s` or `1 Gbit/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bandwidth {
    /// Bits per second, at least one.
    pub bits: u64,
}

/// A length in memory, on disk or on the wire. Written `512 B`, `64 KiB`, `1 MiB` or `2 GiB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes {
    /// Bytes.
    pub bytes: u64,
}

/// A plain decimal with at most three places. Written `1.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Factor {
    /// Thousandths.
    pub milli: u32,
}

/// How far a clock is moved. Written `250ms`, or `-250ms` for back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Nanoseconds forward.
    pub nanos: i64,
}

/// How much too fast a clock runs. Written `200 ppm`, or `-200 ppm` for too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Parts per million.
    pub ppm: i32,
}

/// Names of units and their sizes, largest first.
type Sizes = &'static [(&'static str, u64)];

const BYTES: Sizes = &[("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const BITS: Sizes =
    &[("Gbit/s", 1_000_000_000), ("Mbit/s", 1_000_000), ("kbit/s", 1_000), ("bit/s", 1)];
const SPANS: Sizes =
    &[("min", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];
const PERIODS: Sizes =
    &[("min", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)];

impl Rate {
    /// The time from one to the next where they come evenly.
    pub fn interval(self) -> Span {
        Span::from_nanos(self.per.as_nanos() / self.count)
    }
}

impl Unit for Span {
    const NAME: &'static str = "span";
    const EXPECTED: &'static str = "a time such as `150ms`, `2s` or `5min`";

    fn read(text: &str) -> Result<Self, Option<String>> {
        if text.starts_with('-') {
            return Err(Some("a length of time is never negative".into()));
        }
        if text.contains('.') {
            return Err(Some("a time is a whole number: write `1500ms`, not `1.5s`".into()));
        }
        text.parse().map_err(|_| unit(text, SPANS).or_else(|| too_large(text, SPANS, "")))
    }
}

impl Unit for NodeId {
    const NAME: &'static str = "node";
    const EXPECTED: &'static str = "a node such as `n4`";

    fn read(text: &str) -> Result<Self, Option<String>> {
        let number = text.strip_prefix('n').filter(|number| is_digits(number));
        let is_large = number.is_some_and(|number| !number.starts_with('0'));
        let last = || format!("the last node there could be is `{}`", Self(u32::MAX));
        text.parse().map_err(|_| is_large.then(last))
    }
}

impl Unit for Version {
    const NAME: &'static str = "version";
    const EXPECTED: &'static str = "a version such as `2.0.0`";

    fn read(text: &str) -> Result<Self, Option<String>> {
        if let Some((_, variant)) = text.split_once(':') {
            return Err(Some(format!(
                "a version has no variant in it: a release says `variant = \"{variant}\"` beside its version"
            )));
        }
        let version: Self = text.parse().map_err(|error| Some(format!("{error}")))?;
        if version == Self::new(0, 0, 0) {
            return Err(Some("version 0.0.0 means that nothing runs".into()));
        }
        Ok(version)
    }
}

impl Unit for u64 {
    const NAME: &'static str = "seed";
    const EXPECTED: &'static str = "a seed in quotes, such as `4711`";

    fn read(text: &str) -> Result<Self, Option<String>> {
        text.parse()
            .map_err(|_| is_digits(text).then(|| format!("a seed is at most `{}`", Self::MAX)))
    }
}

impl Unit for Share {
    const NAME: &'static str = "share";
    const EXPECTED: &'static str = "a share from `0%` to `100%`, such as `2%`, `0.1%` or `50 ppm`";

    fn read(text: &str) -> Result<Self, Option<String>> {
        if text.starts_with('-') {
            return Err(Some("a share is never negative".into()));
        }
        let (number, places) = match (text.strip_suffix('%'), text.strip_suffix(" ppm")) {
            (Some(percent), _) => (percent, 4),
            (None, Some(ppm)) => (ppm, 0),
            (None, None) => return Err(None),
        };
        let too_large = || Some("a share is at most `100%`".to_owned());
        let ppm = decimal(number, places);
        let ppm = ppm.ok_or_else(|| too_large().filter(|_| is_digits(number)))?;
        match u32::try_from(ppm) {
            Ok(ppm) if ppm <= 1_000_000 => Ok(Self { ppm }),
            _ => Err(too_large()),
        }
    }
}

impl Unit for Rate {
    const NAME: &'static str = "rate";
    const EXPECTED: &'static str = "a rate such as `20/s`, `5/ms` or `3/min`";

    fn read(text: &str) -> Result<Self, Option<String>> {
        if text.starts_with('-') {
            return Err(Some("a rate is never negative".into()));
        }
        let (count, unit) = text.split_once('/').ok_or(None)?;
        if decimal(count, 3).is_some() && count.contains('.') {
            return Err(Some("a rate is a whole number: write `30/min`, not `0.5/s`".into()));
        }
        if !is_digits(count) {
            return Err(None);
        }
        let period = PERIODS.iter().find(|(name, _)| *name == unit);
        let (_, nanos) = period.ok_or_else(|| Some(one_of(PERIODS)))?;
        match decimal(count, 0) {
            Some(0) => Err(Some("a rate is above zero: leave the key out instead".into())),
            Some(count) if count <= *nanos => Ok(Self { count, per: Span::from_nanos(*nanos) }),
            _ => Err(Some("at most one every nanosecond".into())),
        }
    }
}

impl Unit for Bandwidth {
    const NAME: &'static str = "bandwidth";
    const EXPECTED: &'static str = "a bandwidth such as `10 Mbit/s` or `256 kbit/s`";

    fn read(text: &str) -> Result<Self, Option<String>> {
        match sized(text, BITS)? {
            0 => Err(Some("a link that carries nothing is cut: use a fault".into())),
            bits => Ok(Self { bits }),
        }
    }
}

impl Unit for Bytes {
    const NAME: &'static str = "bytes";
    const EXPECTED: &'static str = "a size such as `512 B`, `64 KiB` or `1 MiB`";

    fn read(text: &str) -> Result<Self, Option<String>> {
        sized(text, BYTES).map(|bytes| Self { bytes })
    }
}

impl Unit for Factor {
    const NAME: &'static str = "factor";
    const EXPECTED: &'static str = "a number such as `1.5`, with at most three places";

    fn read(text: &str) -> Result<Self, Option<String>> {
        let most = Self { milli: u32::MAX };
        let too_large = || Some(format!("this is at most `{most}`"));
        let milli = decimal(text, 3);
        let milli = milli.ok_or_else(|| too_large().filter(|_| is_digits(text)))?;
        u32::try_from(milli).map(|milli| Self { milli }).map_err(|_| too_large())
    }
}

impl Unit for Shift {
    const NAME: &'static str = "shift";
    const EXPECTED: &'static str = "a time forward such as `250ms`, or back such as `-250ms`";

    fn read(text: &str) -> Result<Self, Option<String>> {
        let (sign, length) = signed(text);
        if length.starts_with('-') {
            return Err(None);
        }
        let span = Span::read(length)?;
        let too_large = |_| Some("a clock is moved by at most `9223372036s`".into());
        let nanos = i64::try_from(span.as_nanos()).map_err(too_large)?;
        Ok(Self { nanos: sign * nanos })
    }
}

impl Unit for Drift {
    const NAME: &'static str = "drift";
    const EXPECTED: &'static str = "a drift such as `200 ppm`, or `-200 ppm` for too slow";

    fn read(text: &str) -> Result<Self, Option<String>> {
        let (sign, share) = signed(text);
        let share = Share::read(share)?;
        // A clock that gains more than half runs backwards or twice too fast: no oscillator does.
        if share.ppm > 500_000 {
            return Err(Some("a clock drifts by at most 500000 ppm".into()));
        }
        Ok(Self { ppm: sign as i32 * share.ppm as i32 })
    }
}

/// The sign in front of `text`, and the rest.
fn signed(text: &str) -> (i64, &str) {
    text.strip_prefix('-').map_or((1, text), |rest| (-1, rest))
}

/// `text` as a decimal scaled by 10 to the `places`; `None` where it has more places or is no decimal.
fn decimal(text: &str, places: usize) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let pointed = text.contains('.');
    if whole.is_empty() || (pointed && part.is_empty()) || part.len() > places {
        return None;
    }
    if !digits(whole) || !digits(part) {
        return None;
    }
    format!("{whole}{part:0<places$}").parse().ok()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What is said of a number and one of `sizes` behind `gap`, where that is more than can be counted.
fn too_large(text: &str, sizes: Sizes, gap: &str) -> Option<String> {
    let (largest, size) = sizes[0];
    let is_number = |(name, _): &(&str, u64)| {
        text.strip_suffix(name).and_then(|text| text.strip_suffix(gap)).is_some_and(is_digits)
    };
    sizes
        .iter()
        .any(is_number)
        .then(|| format!("this is at most `{}{gap}{largest}`", u64::MAX / size))
}

fn one_of(sizes: Sizes) -> String {
    let names: Vec<String> = sizes.iter().map(|(name, _)| format!("`{name}`")).collect();
    format!("the unit is one of {}", names.join(", "))
}

/// What is wrong with the unit of `text`, a number and right behind it one of `sizes`, if that is it.
fn unit(text: &str, sizes: Sizes) -> Option<String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let known = |(name, _): &(&str, u64)| *name == &text[digits..];
    (digits > 0 && digits < text.len() && !sizes.iter().any(known))
        .then(|| format!("{}, right after the number", one_of(sizes)))
}

/// `text` as a number, a space and one of `sizes`.
fn sized(text: &str, sizes: Sizes) -> Result<u64, Option<String>> {
    if text.starts_with('-') {
        return Err(Some("this is never negative".into()));
    }
    let Some((number, unit)) = text.split_once(' ') else {
        let unit = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let number = &text[..text.len() - unit.len()];
        return Err(match sizes.iter().any(|(name, _)| *name == unit) {
            _ if number.is_empty() || unit.is_empty() => None,
            true => Some(format!("a space comes before the unit: write `{number} {unit}`")),
            false => Some(format!("{}, after a space", one_of(sizes))),
        });
    };
    let Some((_, size)) = sizes.iter().find(|(name, _)| *name == unit) else {
        return Err(Some(one_of(sizes)));
    };
    if decimal(number, 9).is_some() && number.contains('.') {
        return Err(Some("this is a whole number: write it in a smaller unit".into()));
    }
    let sum = decimal(number, 0).and_then(|number| number.checked_mul(*size));
    sum.ok_or_else(|| too_large(text, sizes, " "))
}

/// `number` in the largest of `sizes` that divides it.
fn write_sized(f: &mut fmt::Formatter<'_>, number: u64, sizes: Sizes) -> fmt::Result {
    let fits =
        |(_, size): &&(&str, u64)| *size == 1 || (number > 0 && number.is_multiple_of(*size));
    let (name, size) = sizes.iter().find(fits).expect("the last size is one");
    write!(f, "{} {name}", number / size)
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.ppm / 10_000, self.ppm % 10_000);
        if part == 0 {
            return write!(f, "{whole}%");
        }
        let part = format!("{part:04}");
        write!(f, "{whole}.{}%", part.trim_end_matches('0'))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.per.as_nanos();
        let (unit, _) =
            PERIODS.iter().find(|(_, size)| *size == nanos).expect("a rate is read from a period");
        write!(f, "{}/{unit}", self.count)
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_sized(f, self.bits, BITS)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_sized(f, self.bytes, BYTES)
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.milli / 1_000, self.milli % 1_000);
        if part == 0 {
            return write!(f, "{whole}");
        }
        let part = format!("{part:03}");
        write!(f, "{whole}.{}", part.trim_end_matches('0'))
    }
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.nanos < 0 { "-" } else { "" };
        write!(f, "{sign}{}", Span::from_nanos(self.nanos.unsigned_abs()))
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ppm", self.ppm)
    }
}

impl<T> ops::Deref for Text<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Display> fmt::Display for Text<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Unit> FromStr for Text<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        T::read(text)
            .map(Self)
            .map_err(|why| why.unwrap_or_else(|| format!("expected {}", T::EXPECTED)))
    }
}

impl<T: fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: Unit> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl<T: Unit> JsonSchema for Text<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let description = format!("Expected: {}.", T::EXPECTED);
        json_schema!({ "type": "string", "format": T::NAME, "description": description })
    }
}

/// What is wrong with `text` as a value of the unit called `name`: the reason, or else what was
/// expected. `None`: nothing is, or there is no such unit.
pub(super) fn complaint(name: &str, text: &str) -> Option<String> {
    fn of<T: Unit>(text: &str) -> Option<String> {
        let why = T::read(text).err()?;
        Some(why.unwrap_or_else(|| format!("expected {}", T::EXPECTED)))
    }
    match name {
        Span::NAME => of::<Span>(text),
        NodeId::NAME => of::<NodeId>(text),
        Version::NAME => of::<Version>(text),
        Runs::NAME => of::<Runs>(text),
        Share::NAME => of::<Share>(text),
        Rate::NAME => of::<Rate>(text),
        Bandwidth::NAME => of::<Bandwidth>(text),
        Bytes::NAME => of::<Bytes>(text),
        Factor::NAME => of::<Factor>(text),
        Shift::NAME => of::<Shift>(text),
        Drift::NAME => of::<Drift>(text),
        u64::NAME => of::<u64>(text),
        Threshold::NAME => of::<Threshold>(text),
        _ => None,
    }
}

/// What the unit called `name` expects.
pub(crate) fn expected(name: &str) -> Option<&'static str> {
    Some(match name {
        Span::NAME => Span::EXPECTED,
        NodeId::NAME => NodeId::EXPECTED,
        Version::NAME => Version::EXPECTED,
        Runs::NAME => Runs::EXPECTED,
        Share::NAME => Share::EXPECTED,
        Rate::NAME => Rate::EXPECTED,
        Bandwidth::NAME => Bandwidth::EXPECTED,
        Bytes::NAME => Bytes::EXPECTED,
        Factor::NAME => Factor::EXPECTED,
        Shift::NAME => Shift::EXPECTED,
        Drift::NAME => Drift::EXPECTED,
        u64::NAME => u64::EXPECTED,
        Threshold::NAME => Threshold::EXPECTED,
        _ => return None,
    })
}

/// Every unit: its name, and what a value of it looks like.
pub(crate) fn all() -> Vec<(&'static str, String)> {
    let names = [
        Span::NAME,
        NodeId::NAME,
        Version::NAME,
        Runs::NAME,
        Share::NAME,
        Rate::NAME,
        Bandwidth::NAME,
        Bytes::NAME,
        Factor::NAME,
        Shift::NAME,
        Drift::NAME,
        u64::NAME,
        Threshold::NAME,
    ];
    let sizes = |name| match name {
        Span::NAME => format!("; {}", one_of(SPANS)),
        Rate::NAME => format!("; {}", one_of(PERIODS)),
        Bandwidth::NAME => format!("; {}", one_of(BITS)),
        Bytes::NAME => format!("; {}", one_of(BYTES)),
        _ => String::new(),
    };
    let text = |name| Some((name, expected(name)?.to_owned() + &sizes(name)));
    names.into_iter().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads_back<T: Unit + fmt::Display>(texts: &[&str]) {
        for text in texts {
            let value = text.parse::<Text<T>>().unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(value.to_string(), *text);
        }
    }

    #[test]
    fn every_unit_reads_back_as_written() {
        reads_back::<Share>(&["0%", "2%", "0.1%", "0.0001%", "33.3333%", "100%"]);
        reads_back::<Rate>(&["20/s", "5/ms", "3/min", "1/us"]);
        reads_back::<Bandwidth>(&["10 Mbit/s", "256 kbit/s", "1 Gbit/s", "7 bit/s"]);
        reads_back::<Bytes>(&["0 B", "512 B", "64 KiB", "1 MiB", "2 GiB"]);
        reads_back::<Factor>(&["0.5", "1", "1.125"]);
        reads_back::<Shift>(&["250ms", "-250ms", "0s"]);
        reads_back::<Drift>(&["200 ppm", "-200 ppm"]);
    }

    #[test]
    fn parts_per_million_and_percent_are_one_scale() {
        assert_eq!("50 ppm".parse::<Text<Share>>().unwrap().ppm, 50);
        assert_eq!("0.1%".parse::<Text<Share>>().unwrap().ppm, 1_000);
    }

    #[test]
    fn a_quantity_out_of_its_range_is_refused_with_the_reason() {
        let share = |text: &str| text.parse::<Text<Share>>().unwrap_err();
        assert_eq!(share("100.1%"), "a share is at most `100%`");
        assert_eq!(share("-1%"), "a share is never negative");
        assert!(share("0.00001%").starts_with("expected a share"));
        let rate = |text: &str| text.parse::<Text<Rate>>().unwrap_err();
        assert_eq!(rate("-5/s"), "a rate is never negative");
        assert_eq!(rate("0.5/s"), "a rate is a whole number: write `30/min`, not `0.5/s`");
        assert_eq!(rate("5/h"), "the unit is one of `min`, `s`, `ms`, `us`");
        let bytes = |text: &str| text.parse::<Text<Bytes>>().unwrap_err();
        assert_eq!(bytes("1.5 MiB"), "this is a whole number: write it in a smaller unit");
        assert_eq!(bytes("1 MB"), "the unit is one of `GiB`, `MiB`, `KiB`, `B`");
        assert_eq!(rate("0/s"), "a rate is above zero: leave the key out instead");
    }

    #[test]
    fn a_quantity_says_what_is_wrong_with_it() {
        fn why<T: Unit>(text: &str) -> String {
            text.parse::<Text<T>>().err().unwrap_or_else(|| panic!("{text} is read"))
        }
        let huge = "99999999999999999999";
        for (found, expected) in [
            (why::<Bytes>("64KiB"), "a space comes before the unit: write `64 KiB`"),
            (why::<Bytes>("64kib"), "the unit is one of `GiB`, `MiB`, `KiB`, `B`, after a space"),
            (why::<Bytes>("64"), "expected a size such as `512 B`, `64 KiB` or `1 MiB`"),
            (why::<Bytes>(&format!("{huge} B")), "this is at most `17179869183 GiB`"),
            (why::<Bytes>("17179869184 GiB"), "this is at most `17179869183 GiB`"),
            (why::<Bandwidth>("10Mbit/s"), "a space comes before the unit: write `10 Mbit/s`"),
            (why::<Bandwidth>("18446744074 Gbit/s"), "this is at most `18446744073 Gbit/s`"),
            (why::<Span>("18446744074s"), "this is at most `307445734min`"),
            (why::<Span>(&format!("{huge}ns")), "this is at most `307445734min`"),
            (why::<Shift>("-18446744074s"), "this is at most `307445734min`"),
            (why::<Shift>("-9223372037s"), "a clock is moved by at most `9223372036s`"),
            (
                why::<Shift>("--1s"),
                "expected a time forward such as `250ms`, or back such as `-250ms`",
            ),
            (why::<Shift>("1.5s"), "a time is a whole number: write `1500ms`, not `1.5s`"),
            (why::<Share>(&format!("{huge}%")), "a share is at most `100%`"),
            (why::<Share>(&format!("{huge} ppm")), "a share is at most `100%`"),
            (why::<Drift>("600000 ppm"), "a clock drifts by at most 500000 ppm"),
            (why::<Rate>(&format!("{huge}/s")), "at most one every nanosecond"),
            (why::<Factor>("4294967.296"), "this is at most `4294967.295`"),
            (why::<Factor>(huge), "this is at most `4294967.295`"),
            (why::<u64>("18446744073709551616"), "a seed is at most `18446744073709551615`"),
            (why::<NodeId>("n4294967296"), "the last node there could be is `n4294967295`"),
            (why::<NodeId>("n04"), "expected a node such as `n4`"),
            (why::<NodeId>("4"), "expected a node such as `n4`"),
        ] {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn no_unit_is_assumed() {
        for text in ["", "5", "5%%", "5 ms", "%", ".5%", "5.%", "1e3%", "٣%", "5 mb"] {
            assert!(text.parse::<Text<Share>>().is_err(), "{text}");
            assert!(text.parse::<Text<Bytes>>().is_err(), "{text}");
            assert!(text.parse::<Text<Bandwidth>>().is_err(), "{text}");
            assert!(text.parse::<Text<Span>>().is_err(), "{text}");
            assert!(text.parse::<Text<Rate>>().is_err(), "{text}");
        }
    }
}
