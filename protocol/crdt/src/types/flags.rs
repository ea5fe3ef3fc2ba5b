//! Flags: one of two operations wins over the other where they are concurrent.
//!
//! Each is the observed reset of a set of winning operations, of which the latest suffice.

use crate::{At, Clock, Dot, Event, Log, Op, Refused, Stamp, Value, op::Reader};

/// A flag: down at the start; up where some enabling precedes no disabling.
#[derive(Clone, Copy, Debug)]
pub struct EnableWins;

/// A flag: up at the start; down where some disabling precedes no enabling.
#[derive(Clone, Copy, Debug)]
pub struct DisableWins;

/// What is done to a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagOp {
    /// Put it up.
    Enable,
    /// Take it down.
    Disable,
}

/// Winning operations that nothing follows, in order of their names.
type Standing = Vec<Dot>;

fn effect(standing: &mut Standing, at: At<'_>, wins: bool) {
    standing.retain(|dot| !at.past.covers(*dot));
    if wins {
        let place = standing.partition_point(|dot| *dot < at.stamp.dot);
        standing.insert(place, at.stamp.dot);
    }
}

/// Whether some `winner` of `log` precedes no other operation.
fn stands(log: &Log<'_, FlagOp>, winner: FlagOp) -> bool {
    let (winners, losers): (Vec<_>, Vec<_>) = log.iter().partition(|event| event.message == winner);
    let beaten = |event: &Event<_>| losers.iter().any(|loser| event.precedes(*loser));
    winners.into_iter().any(|event| !beaten(event))
}

fn parse(operation: &Value) -> Result<FlagOp, Refused> {
    let read = Reader(operation);
    match read.kind() {
        "enable" => Ok(FlagOp::Enable),
        "disable" => Ok(FlagOp::Disable),
        _ => read.unknown("an operation `enable` or `disable`"),
    }
}

macro_rules! flag {
    ($flag:ty, $winner:expr, $up:expr) => {
        impl Op for $flag {
            type Operation = FlagOp;
            type Message = FlagOp;
            type State = Standing;

            fn initial(&self) -> Standing {
                Standing::new()
            }

            fn prepare(
                &self,
                _: &Standing,
                operation: &FlagOp,
                _: Stamp,
            ) -> Result<FlagOp, Refused> {
                Ok(*operation)
            }

            fn effect(
                &self,
                state: &mut Standing,
                at: At<'_>,
                message: &FlagOp,
            ) -> Result<(), Refused> {
                effect(state, at, *message == $winner);
                Ok(())
            }

            fn value(&self, state: &Standing) -> Value {
                Value::from(state.is_empty() != $up)
            }

            fn forget(&self, _: &mut Standing, _: &Clock) {}

            fn meaning(&self, log: &Log<'_, FlagOp>) -> Value {
                Value::from(stands(log, $winner) == $up)
            }

            fn parse(&self, operation: &Value) -> Result<FlagOp, Refused> {
                parse(operation)
            }
        }
    };
}

flag!(EnableWins, FlagOp::Enable, true);
flag!(DisableWins, FlagOp::Disable, false);
