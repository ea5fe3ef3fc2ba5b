//! An integer that is only added to: every order of its operations gives the same.

use causal::{At, Clock, Log, Stamp};
use crdt::{Op, Refused, Value};

/// An integer that is added to. Numbers wrap.
pub(in crate::native) struct Sum;

impl Op for Sum {
    type Operation = i64;
    type Message = i64;
    type State = i64;

    fn initial(&self) -> i64 {
        0
    }

    fn prepare(&self, _: &i64, by: &i64, _: Stamp) -> Result<i64, Refused> {
        Ok(*by)
    }

    fn effect(&self, sum: &mut i64, _: At<'_>, by: &i64) -> Result<(), Refused> {
        *sum = sum.wrapping_add(*by);
        Ok(())
    }

    fn value(&self, sum: &i64) -> Value {
        Value::from(*sum)
    }

    fn forget(&self, _: &mut i64, _: &Clock) {}

    fn meaning(&self, log: &Log<'_, i64>) -> Value {
        Value::from(log.iter().fold(0, |sum: i64, event| sum.wrapping_add(event.message)))
    }

    fn parse(&self, operation: &Value) -> Result<i64, Refused> {
        let found = || Refused::Unknown { expected: "a number", found: operation.to_string() };
        match operation {
            Value::Int(by) => i64::try_from(*by).map_err(|_| found()),
            _ => Err(found()),
        }
    }
}
