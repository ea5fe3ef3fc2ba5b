//! Why a release will not run on a node: the reasons, in words and as bytes that survive a restart.

use app::{Fault, value::SchemaId};
use contract::{
    Encode, Malformed, Time, Wire,
    wire::{put_blob, take_array, take_byte, take_varint},
};

use crate::release::take_text;

/// Bytes of a reason that code gives; the rest is cut, so that a record stays small.
pub const TEXT_BYTES_MAX: usize = 256;

/// A release will not run here. The running code and its state are as before, to the bit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Quarantine {
    /// The code is not what was signed.
    #[error("the code is not the signed one")]
    HashMismatch,
    /// It is too late to activate it.
    #[error("the release expired at {at}")]
    Expired {
        /// The envelope's expiry.
        at: Time,
    },
    /// This host cannot run the code.
    #[error("this host cannot run the code: {0}")]
    Unsupported(String),
    /// No switch to it got through: crashes interrupted each of them.
    #[error("{attempts} switches to it were interrupted by crashes")]
    Interrupted {
        /// Switches that were begun.
        attempts: u32,
    },
    /// The code declares something other than what was signed.
    #[error("the code declares another {0} than the envelope")]
    ManifestMismatch(Declared),
    /// The code names an API class that cannot be.
    #[error("the code declares an edge of a class that cannot be: {0}")]
    BadClass(String),
    /// No chain of edges leads from the running code's state to the new code's.
    #[error("no edges lead from state schema {} to {}", short(from), short(to))]
    NoPath {
        /// The running code's schema.
        from: SchemaId,
        /// The new code's.
        to: SchemaId,
    },
    /// The code's own migration refuses this state.
    #[error("the migration failed: {0}")]
    MigrationFailed(String),
    /// The migration costs more than the envelope allows.
    #[error("the migration is over budget: more than {budget} {cost}")]
    OverBudget {
        /// In what.
        cost: Cost,
        /// Spent when it was stopped.
        spent: u64,
        /// Allowed.
        budget: u64,
    },
    /// The migrated state is not of the new code's schema.
    #[error("the migrated state is not of the declared schema: {0}")]
    IllTyped(String),
    /// The new code does not start from the migrated state.
    #[error("the new code refuses the migrated state: {0}")]
    NotLoaded(String),
    /// A declared measure cannot be taken of the old or the new state.
    #[error("the measures cannot be taken: {0}")]
    NotMeasured(String),
    /// The migration does not conserve what it must.
    #[error("the migration changes the measure `{name}` from {before} to {after}")]
    MeasureChanged {
        /// Of the manifest.
        name: String,
        /// Of the running code's state.
        before: i128,
        /// Of the migrated state.
        after: i128,
    },
}

/// A part of a manifest that the envelope speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    /// The application.
    App,
    /// The schema of the state.
    StateSchema,
    /// The list of edges.
    Edges,
}

/// What a budget limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Units of work, as the code states them.
    Fuel,
    /// Bytes of migrated state.
    StateBytes,
}

impl Quarantine {
    /// The reason that a fault in a migration gives.
    pub(crate) fn of_migration(fault: Fault) -> Self {
        match fault {
            Fault::OverBudget { spent, budget } => {
                Self::OverBudget { cost: Cost::Fuel, spent, budget }
            }
            other => Self::MigrationFailed(text_of(other)),
        }
    }
}

/// What `error` says, cut to [`TEXT_BYTES_MAX`].
pub(crate) fn text_of(error: impl ToString) -> String {
    let mut text = error.to_string();
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    text
}

/// The first 8 hexadecimal digits of a schema's address.
fn short(schema: &SchemaId) -> String {
    schema[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

impl std::fmt::Display for Declared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::App => "app",
            Self::StateSchema => "state schema",
            Self::Edges => "list of edges",
        })
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Fuel => "units of fuel",
            Self::StateBytes => "bytes of state",
        })
    }
}

impl Encode for Quarantine {
    fn encode(&self, out: &mut Vec<u8>) {
        let mut put_text = |kind: u8, text: &str| {
            out.push(kind);
            put_blob(out, text.as_bytes());
        };
        match self {
            Self::HashMismatch => out.push(0),
            Self::Expired { at } => {
                out.push(1);
                at.as_nanos().encode(out);
            }
            Self::Unsupported(text) => put_text(2, text),
            Self::ManifestMismatch(declared) => out.extend([3, *declared as u8]),
            Self::BadClass(text) => put_text(4, text),
            Self::NoPath { from, to } => {
                out.push(5);
                from.encode(out);
                to.encode(out);
            }
            Self::MigrationFailed(text) => put_text(6, text),
            Self::OverBudget { cost, spent, budget } => {
                out.extend([7, *cost as u8]);
                spent.encode(out);
                budget.encode(out);
            }
            Self::IllTyped(text) => put_text(8, text),
            Self::NotLoaded(text) => put_text(9, text),
            Self::NotMeasured(text) => put_text(10, text),
            Self::MeasureChanged { name, before, after } => {
                put_text(11, name);
                out.extend(before.to_le_bytes());
                out.extend(after.to_le_bytes());
            }
            Self::Interrupted { attempts } => {
                out.push(12);
                attempts.encode(out);
            }
        }
    }
}

impl Wire for Quarantine {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let take = |bytes: &mut &[u8]| take_text(bytes, TEXT_BYTES_MAX).map(str::to_owned);
        Ok(match take_byte(bytes)? {
            0 => Self::HashMismatch,
            1 => Self::Expired { at: Time::from_nanos(take_varint(bytes)?) },
            2 => Self::Unsupported(take(bytes)?),
            3 => Self::ManifestMismatch(match take_byte(bytes)? {
                0 => Declared::App,
                1 => Declared::StateSchema,
                2 => Declared::Edges,
                _ => return Err(Malformed("a part of a manifest")),
            }),
            4 => Self::BadClass(take(bytes)?),
            5 => Self::NoPath { from: Wire::read(bytes)?, to: Wire::read(bytes)? },
            6 => Self::MigrationFailed(take(bytes)?),
            7 => Self::OverBudget {
                cost: match take_byte(bytes)? {
                    0 => Cost::Fuel,
                    1 => Cost::StateBytes,
                    _ => return Err(Malformed("a kind of cost")),
                },
                spent: Wire::read(bytes)?,
                budget: Wire::read(bytes)?,
            },
            8 => Self::IllTyped(take(bytes)?),
            9 => Self::NotLoaded(take(bytes)?),
            10 => Self::NotMeasured(take(bytes)?),
            11 => Self::MeasureChanged {
                name: take(bytes)?,
                before: i128::from_le_bytes(take_array(bytes)?),
                after: i128::from_le_bytes(take_array(bytes)?),
            },
            12 => Self::Interrupted { attempts: Wire::read(bytes)? },
            _ => return Err(Malformed("a reason to quarantine")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_reads_back_from_its_record() {
        let text = || "because".to_owned();
        for reason in [
            Quarantine::HashMismatch,
            Quarantine::Expired { at: Time::from_nanos(300) },
            Quarantine::Unsupported(text()),
            Quarantine::Interrupted { attempts: 8 },
            Quarantine::ManifestMismatch(Declared::App),
            Quarantine::ManifestMismatch(Declared::StateSchema),
            Quarantine::ManifestMismatch(Declared::Edges),
            Quarantine::BadClass(text()),
            Quarantine::NoPath { from: [1; 32], to: [2; 32] },
            Quarantine::MigrationFailed(text()),
            Quarantine::OverBudget { cost: Cost::Fuel, spent: 9, budget: 8 },
            Quarantine::OverBudget { cost: Cost::StateBytes, spent: 9, budget: 8 },
            Quarantine::IllTyped(text()),
            Quarantine::NotLoaded(text()),
            Quarantine::NotMeasured(text()),
            Quarantine::MeasureChanged { name: text(), before: -1, after: i128::MAX },
        ] {
            let mut bytes = Vec::new();
            reason.encode(&mut bytes);
            assert_eq!(Quarantine::decode(&bytes), Ok(reason.clone()), "{reason}");
            for length in 0..bytes.len() {
                assert!(Quarantine::decode(&bytes[..length]).is_err(), "{reason} to {length}");
            }
        }
    }

    #[test]
    fn a_long_reason_is_cut_between_letters() {
        let text = text_of("ä".repeat(200));
        assert_eq!(text, "ä".repeat(128));
        assert_eq!(text_of(format!("a{text}")).len(), 255);
    }
}
