//! Lists: elements at positions that never change and are ordered alike everywhere.

mod position;
mod ranged;
mod reversible;
mod rich;

pub use position::Position;
pub use ranged::{Ranged, RangedMessage};
pub use reversible::{Reversible, ReversibleMessage};
pub use rich::{Character, Rich, RichMessage, Text};

use crate::{Refused, Value, op::Reader};

/// What is done to a list, by index in what the user sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListOp {
    /// Puts an element before the one that stands at an index, or at the end.
    Insert(usize, String),
    /// Takes away the element at an index.
    Delete(usize),
    /// Turns the list round. Of a [`Reversible`].
    Reverse,
    /// Takes away what stands from one index to another, that one included, and what is put between
    /// them concurrently. Of a [`Ranged`].
    Remove(usize, usize),
    /// Gives the elements from one index to another, that one included, an attribute; `Null` takes it
    /// away. Of a [`Rich`].
    Format(usize, usize, String, Value),
}

/// Reads the operations that all lists have; `None`: it is no such operation.
fn parse(operation: &Value) -> Result<Option<ListOp>, Refused> {
    let read = Reader(operation);
    Ok(match read.kind() {
        "insert" => Some(ListOp::Insert(read.index("index")?, read.text("value")?)),
        "delete" => Some(ListOp::Delete(read.index("index")?)),
        _ => None,
    })
}

/// The element at `index` of `elements`. Errors: [`Refused::OutOfRange`].
fn at<T>(elements: &[T], index: usize) -> Result<&T, Refused> {
    elements.get(index).ok_or(Refused::OutOfRange { index, length: elements.len() })
}

/// The element before `index`, where something is put in; none before the first. Errors: [`Refused::OutOfRange`].
fn left_of<T>(elements: &[T], index: usize) -> Result<Option<&T>, Refused> {
    let Some(left) = index.checked_sub(1) else { return Ok(None) };
    let out_of_range = Refused::OutOfRange { index, length: elements.len() };
    elements.get(left).map(Some).ok_or(out_of_range)
}

/// The elements from `first` to `last`, that one included: one at least. Errors: [`Refused::OutOfRange`].
fn between<T>(elements: &[T], first: usize, last: usize) -> Result<&[T], Refused> {
    at(elements, last)?;
    let range = elements.get(first..=last).filter(|range| !range.is_empty());
    range.ok_or(Refused::OutOfRange { index: first, length: last + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_puts_something_in_beyond_the_end_is_told_the_index_that_was_asked_for() {
        let refused = |index| Err(Refused::OutOfRange { index, length: 2 });
        assert_eq!(left_of(&["a", "b"], 0), Ok(None));
        assert_eq!(left_of(&["a", "b"], 2), Ok(Some(&"b")));
        assert_eq!(left_of(&["a", "b"], 3), refused(3));
        assert_eq!(left_of(&["a", "b"], 9), refused(9));
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_refused_and_one_of_an_element_is_not() {
        let backwards = |first, last| {
            let refused = Refused::OutOfRange { index: first, length: last + 1 };
            assert_eq!(between(&["a", "b", "c"], first, last), Err(refused), "{first} to {last}");
        };
        backwards(1, 0);
        backwards(2, 0);
        backwards(2, 1);
        assert_eq!(between(&["a", "b", "c"], 1, 1), Ok(&["b"][..]));
    }
}
