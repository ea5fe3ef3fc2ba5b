//! Flags: one of two operations wins over the other where they are concurrent.
//!
//! A flag stands where it is put by winning operations that no later one has seen.

use super::{Causal, Causally, Context, DotSet};
use crate::{
    Log, Op, Origin, Refused, Value,
    types::{DisableWins, EnableWins, FlagOp},
};

/// A flag that is down at the start; of concurrent operations enabling wins.
#[derive(Clone, Copy, Debug)]
pub struct EnableWinsFlag;

/// A flag that is up at the start; of concurrent operations disabling wins.
#[derive(Clone, Copy, Debug)]
pub struct DisableWinsFlag;

macro_rules! flag {
    ($flag:ty, $winner:expr, $up:expr, $judge:expr) => {
        impl Causally for $flag {
            type Operation = FlagOp;
            type Store = DotSet;

            fn delta(
                &self,
                store: &DotSet,
                context: &Context,
                operation: &FlagOp,
                by: Origin,
            ) -> Result<Causal<DotSet>, Refused> {
                let new = (*operation == $winner).then(|| context.next(by));
                Ok(Causal {
                    store: DotSet(new.into_iter().collect()),
                    context: store.0.iter().copied().chain(new).collect(),
                })
            }

            fn mutate(
                &self,
                store: &mut DotSet,
                context: &mut Context,
                operation: &FlagOp,
                by: Origin,
            ) -> Result<(), Refused> {
                store.0.clear();
                if *operation == $winner {
                    let new = context.next(by);
                    context.insert(new);
                    store.0.insert(new);
                }
                Ok(())
            }

            fn value(&self, store: &DotSet) -> Value {
                Value::from(store.0.is_empty() != $up)
            }

            fn meaning(&self, log: &Log<'_, FlagOp>) -> Value {
                $judge.meaning(log)
            }

            fn parse(&self, operation: &Value) -> Result<FlagOp, Refused> {
                $judge.parse(operation)
            }
        }
    };
}

flag!(EnableWinsFlag, FlagOp::Enable, true, EnableWins);
flag!(DisableWinsFlag, FlagOp::Disable, false, DisableWins);
