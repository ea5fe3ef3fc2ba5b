//! What an operation-based replicated type is.

use std::fmt::Debug;

use crate::{At, Clock, Log, Stamp, Value};

/// An operation-based replicated type. `self` holds what all replicas were told at the start.
pub trait Op {
    /// What a user asks for, in terms of what it sees.
    type Operation: Clone + Debug + PartialEq + 'static;
    /// What goes to every replica: the operation in terms that mean the same everywhere.
    type Message: Clone + Debug + PartialEq + 'static;
    /// What a replica keeps. Equal after the same messages, whatever causal order they came in, to the
    /// last bit: what order leaves behind, such as lists of the concurrent, stands in order of stamps.
    type State: Clone + Debug + PartialEq + 'static;

    /// Before the first message.
    fn initial(&self) -> Self::State;

    /// Turns `operation` into a message, at its origin. `stamp` is the one that the message will have.
    ///
    /// Errors: [`Refused`] where the operation has no meaning in this state.
    fn prepare(
        &self,
        state: &Self::State,
        operation: &Self::Operation,
        stamp: Stamp,
    ) -> Result<Self::Message, Refused>;

    /// Carries `message` out. It has not been delivered before and all that it follows has.
    ///
    /// Errors: [`Refused`] where no honest origin sends such a message; the state is as before.
    fn effect(
        &self,
        state: &mut Self::State,
        at: At<'_>,
        message: &Self::Message,
    ) -> Result<(), Refused>;

    /// What the user sees.
    fn value(&self, state: &Self::State) -> Value;

    /// Forgets what only serves messages that are concurrent to one of `stable`: there come no more.
    fn forget(&self, state: &mut Self::State, stable: &Clock);

    /// What the user must see after `log`, by the definition of the type, which looks at no order of
    /// delivery. Slow: the judge of every implementation and never one itself.
    fn meaning(&self, log: &Log<'_, Self::Message>) -> Value;

    /// Reads an operation, such as `{"kind": "add", "arg": 3}`.
    ///
    /// Errors: [`Refused`] where the type has no such operation.
    fn parse(&self, operation: &Value) -> Result<Self::Operation, Refused>;
}

/// An operation or a message that has no meaning, and why. It changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such operation.
    #[error("expected {expected}, found {found}")]
    Unknown {
        /// What would do.
        expected: &'static str,
        /// What stood there.
        found: String,
    },
    /// A key is missing or is of another kind.
    #[error("expected `{key}` to be {expected} in {found}")]
    Key {
        /// Which key.
        key: &'static str,
        /// What would do.
        expected: &'static str,
        /// The operation.
        found: String,
    },
    /// A key that the type does not take.
    #[error("there is no key `{found}` here, only {known}")]
    NoKey {
        /// Which.
        found: String,
        /// Those that there are, in words.
        known: String,
    },
    /// An index beyond the end.
    #[error("index {index} is out of range: there are {length}")]
    OutOfRange {
        /// Which.
        index: usize,
        /// How many there are.
        length: usize,
    },
    /// An element that was never there.
    #[error("there is no element {0}")]
    NoElement(String),
    /// A number that the type has no meaning for.
    #[error("{0} has no meaning here: {1}")]
    Meaningless(i64, &'static str),
}

/// Reads the parts of an operation.
pub(crate) struct Reader<'a>(pub(crate) &'a Value);

impl Reader<'_> {
    pub(crate) fn kind(&self) -> &str {
        match self.0.get("kind") {
            Some(Value::Text(kind)) => kind,
            _ => "",
        }
    }

    pub(crate) fn unknown<T>(&self, expected: &'static str) -> Result<T, Refused> {
        Err(Refused::Unknown { expected, found: self.0.to_string() })
    }

    fn key(&self, key: &'static str, expected: &'static str) -> Refused {
        Refused::Key { key, expected, found: self.0.to_string() }
    }

    pub(crate) fn int(&self, key: &'static str) -> Result<i64, Refused> {
        match self.0.get(key) {
            Some(Value::Int(value)) => {
                i64::try_from(*value).map_err(|_| self.key(key, "a 64-bit number"))
            }
            _ => Err(self.key(key, "a number")),
        }
    }

    pub(crate) fn index(&self, key: &'static str) -> Result<usize, Refused> {
        usize::try_from(self.int(key)?).map_err(|_| self.key(key, "an index"))
    }

    pub(crate) fn text(&self, key: &'static str) -> Result<String, Refused> {
        match self.0.get(key) {
            Some(Value::Text(value)) => Ok(value.clone()),
            _ => Err(self.key(key, "a text")),
        }
    }

    pub(crate) fn value(&self, key: &'static str) -> Result<Value, Refused> {
        self.0.get(key).cloned().ok_or_else(|| self.key(key, "there"))
    }
}
