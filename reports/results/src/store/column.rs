//! The columns of a run in a file: one line each.

use std::borrow::Cow;

use crate::{Outcome, Run};

/// One column: its name is that of the field of [`Run`].
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// How it is got out of a run and put into one.
    pub(super) access: Access,
    /// The first [`crate::FORMAT_VERSION`] that has it; files of earlier ones are read as if it were 0
    /// or empty.
    pub(super) since: u32,
}

/// Gets a value out of a run; puts one in, or says that it fits no run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Access {
    Number(fn(&Run) -> u64, fn(&mut Run, u64) -> bool),
    Flag(fn(&Run) -> bool, fn(&mut Run, bool)),
    Text(fn(&Run) -> Cow<'_, str>, fn(&mut Run, &str) -> bool),
    /// 32 hexadecimal digits, or none of them: 16 bytes, or zeros.
    Hash(fn(&Run) -> &str, fn(&mut Run, String)),
}

macro_rules! number {
    ($name:ident, $since:literal) => {
        Column {
            name: stringify!($name),
            since: $since,
            access: Access::Number(
                |run| run.$name.into(),
                |run, value| value.try_into().map(|value| run.$name = value).is_ok(),
            ),
        }
    };
}

macro_rules! text {
    ($name:ident, $since:literal) => {
        Column {
            name: stringify!($name),
            since: $since,
            access: Access::Text(
                |run| Cow::Borrowed(&run.$name),
                |run, text| {
                    run.$name = text.to_owned();
                    true
                },
            ),
        }
    };
}

/// Names without spaces in them, kept as one text with a space between.
macro_rules! list {
    ($name:ident, $since:literal) => {
        Column {
            name: stringify!($name),
            since: $since,
            access: Access::Text(
                |run| match &run.$name[..] {
                    [only] => Cow::Borrowed(only),
                    several => Cow::Owned(several.join(" ")),
                },
                |run, text| {
                    run.$name = text.split_ascii_whitespace().map(str::to_owned).collect();
                    true
                },
            ),
        }
    };
}

macro_rules! hash {
    ($name:ident, $since:literal) => {
        Column {
            name: stringify!($name),
            since: $since,
            access: Access::Hash(|run| &run.$name, |run, hash| run.$name = hash),
        }
    };
}

/// Every column, in the order of the file. Columns are added at the end, never moved or removed.
pub const COLUMNS: &[Column] = &[
    number!(format_version, 1),
    text!(build, 1),
    text!(scenario, 1),
    hash!(scenario_hash, 1),
    text!(cell, 1),
    number!(seed, 1),
    Column {
        name: "outcome",
        since: 1,
        access: Access::Text(
            |run| Cow::Borrowed(run.outcome.name()),
            |run, text| Outcome::named(text).map(|outcome| run.outcome = outcome).is_some(),
        ),
    },
    Column {
        name: "as_expected",
        since: 1,
        access: Access::Flag(|run| run.as_expected, |run, flag| run.as_expected = flag),
    },
    list!(violated, 1),
    text!(signature, 2),
    hash!(fingerprint, 1),
    number!(virtual_nanos, 1),
    number!(nodes, 1),
    number!(convergence_p50_nanos, 1),
    number!(convergence_p90_nanos, 1),
    number!(convergence_p99_nanos, 1),
    number!(convergence_max_nanos, 1),
    number!(pause_max_nanos, 1),
    number!(datagrams, 1),
    number!(datagram_bytes, 1),
    number!(datagrams_delivered, 1),
    number!(datagrams_lost, 1),
    number!(delivered, 1),
    number!(holds, 1),
    number!(conversions, 1),
    number!(nacks, 1),
    number!(retransmissions, 1),
    number!(duplicates, 1),
    number!(crashes, 1),
    number!(recoveries, 1),
    number!(switches, 1),
    number!(migrations, 1),
    number!(quarantines, 1),
    number!(forged, 1),
    number!(fetched, 1),
    number!(operations, 1),
    number!(operations_refused, 1),
    number!(replies, 1),
    number!(faults_configured, 1),
    number!(faults_attempted, 1),
    number!(faults_took_effect, 1),
    list!(goals, 1),
    number!(causal_issued, 3),
    number!(causal_heartbeats, 3),
    number!(causal_carried_out, 3),
    number!(causal_void, 3),
    number!(causal_metadata_thousandths, 3),
    number!(causal_parked, 3),
    number!(causal_parked_max, 3),
    number!(causal_parked_thousandths, 3),
    number!(causal_held, 3),
    number!(causal_rejected, 3),
    number!(causal_stable_p50_nanos, 3),
    number!(causal_stable_p99_nanos, 3),
    number!(causal_joined, 3),
    number!(causal_retired, 3),
    number!(causal_resynced, 3),
];

/// The column of that name.
pub(super) fn column(name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.name == name)
}

/// The names of all columns, for an error.
pub(super) fn names() -> String {
    COLUMNS.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_field_of_a_run_is_a_column_and_no_other() {
        let value = serde_json::to_value(Run::default()).unwrap();
        let fields: BTreeSet<&str> =
            value.as_object().unwrap().keys().map(String::as_str).collect();
        let columns: BTreeSet<&str> = COLUMNS.iter().map(|column| column.name).collect();
        assert_eq!(columns, fields);
        assert_eq!(columns.len(), COLUMNS.len());
    }
}
