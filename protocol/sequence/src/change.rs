//! What operations of others do to the text: for an editor that keeps a copy of it, and cursors in it.
//!
//! Invariant: a copy that takes over every change in turn is the text, whatever waited and whatever epoch it
//! was of. Renames change no text.

use contract::wire::Malformed;

use crate::{Applied, Integrated, Operation, Reader, Refused, Sequence, tree::Count};

/// A place between two characters of the text, in each unit that an index can be in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Elements before it: Unicode scalar values.
    pub index: u64,
    /// Bytes of UTF-8 before it.
    pub utf8: u64,
    /// Code units of UTF-16 before it.
    pub utf16: u64,
}

impl From<Count> for Place {
    fn from(Count { chars, bytes, units }: Count) -> Self {
        Self { index: chars.into(), utf8: bytes.into(), utf16: units.into() }
    }
}

/// A change of the text in one place, which is one of the text as the changes before it left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// Text came in.
    Inserted {
        /// Where it begins.
        at: Place,
        /// What came in; never nothing.
        text: &'a str,
    },
    /// Text is gone.
    Removed {
        /// Where it began.
        from: Place,
        /// Where it ended; never `from`.
        to: Place,
    },
}

/// Who hears of changes.
pub(crate) trait Told {
    /// Whether it wants to: places are not even looked for where not.
    const ASKS: bool;

    fn tell(&mut self, change: Change<'_>);
}

/// Who does not want to hear of changes.
pub(crate) struct Nobody;

impl Told for Nobody {
    const ASKS: bool = false;

    fn tell(&mut self, _: Change<'_>) {}
}

struct Editor<'a, F>(&'a mut F);

impl<F: FnMut(Change<'_>)> Told for Editor<'_, F> {
    const ASKS: bool = true;

    fn tell(&mut self, change: Change<'_>) {
        (self.0)(change);
    }
}

impl Sequence {
    /// [`Sequence::apply`], and tells `changed` of every change that it makes to the text, in order: also of
    /// those that operations make which waited for this one.
    ///
    /// Edits of this replica are not told: whoever makes them knows where they are.
    ///
    /// ```
    /// use sequence::{Change, Options, Sequence};
    ///
    /// let mut draw = |below: u64| below / 2;
    /// let mut one = Sequence::new(1, Options::default())?;
    /// let mut two = Sequence::new(2, Options::default())?;
    /// // An editor shows the text of `two`, with its cursor behind "wörld".
    /// let (mut shown, mut cursor) = (String::new(), 0);
    /// let mut operations = one.insert(0, "wörld!", &mut draw)?.to_vec();
    /// operations.extend(one.insert(0, "Hello, ", &mut draw)?);
    /// operations.push(one.rename()?);
    /// operations.push(one.remove(2..5)?);
    /// for operation in &operations {
    ///     two.apply_with(operation, &mut |change| match change {
    ///         Change::Inserted { at, text } => {
    ///             let at = at.utf8 as usize;
    ///             shown.insert_str(at, text);
    ///             if at < cursor {
    ///                 cursor += text.len();
    ///             }
    ///         }
    ///         Change::Removed { from, to } => {
    ///             let (from, to) = (from.utf8 as usize, to.utf8 as usize);
    ///             shown.replace_range(from..to, "");
    ///             cursor -= cursor.clamp(from, to) - from;
    ///         }
    ///     })?;
    ///     if shown == "wörld!" {
    ///         cursor = "wörld".len();
    ///     }
    /// }
    /// assert_eq!((shown.as_str(), &shown[..cursor]), ("He, wörld!", "He, wörld"));
    /// assert_eq!(shown, two.text());
    /// # Ok::<(), sequence::Refused>(())
    /// ```
    ///
    /// Errors: as there; the replica is as it was, and nothing was told.
    pub fn apply_with(
        &mut self,
        operation: &Operation,
        changed: &mut impl FnMut(Change<'_>),
    ) -> Result<Integrated, Refused> {
        self.apply_told(operation, &mut Editor(changed))
    }

    /// [`Sequence::apply_message`], and tells `changed` of every change as [`Sequence::apply_with`] does. Here too
    /// each message of a sender is to come once and in order: see [`Writer`](crate::Writer).
    ///
    /// Errors: as there; nothing was told.
    pub fn apply_message_with(
        &mut self,
        reader: &mut Reader,
        bytes: &[u8],
        changed: &mut impl FnMut(Change<'_>),
    ) -> Result<Applied, Malformed> {
        let mut applied = Applied::default();
        for operation in &reader.read(bytes)? {
            match self.apply_with(operation, changed) {
                Ok(Integrated::Done) => applied.done += 1,
                Ok(Integrated::Waits) => applied.waiting += 1,
                Err(why) => applied.refused.push(why),
            }
        }
        Ok(applied)
    }
}
