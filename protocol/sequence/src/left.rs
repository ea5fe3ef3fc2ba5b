//! What renames left: the bases of several documents, by their names.
//!
//! A document is a table of bases, which share what they have in common. Spelled out they do not, so that none
//! is before somebody asks for it.

use std::collections::BTreeSet;

use crate::{Dot, FormerState, Tuple};

pub(crate) struct Left<'a> {
    documents: Vec<&'a FormerState>,
    /// The bases of all documents, ascending.
    bases: Vec<Base>,
    /// Names that were asked for and are those of one base each.
    unique: BTreeSet<Dot>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Base {
    dot: Dot,
    /// Which of the documents.
    document: u32,
    /// In the table of that.
    number: u32,
}

impl<'a> Left<'a> {
    pub(crate) fn of(documents: Vec<&'a FormerState>) -> Self {
        let tables = (0..).zip(&documents).flat_map(|(document, state)| {
            let bases = state.bases().iter().zip(1..);
            bases.map(move |(entry, number)| Base { dot: entry.dot(), document, number })
        });
        let mut bases = Vec::from_iter(tables);
        bases.sort_unstable();
        Self { documents, bases, unique: BTreeSet::new() }
    }

    /// The base that is named `dot`, spelled with offset 0; `None` where none is, or several are.
    pub(crate) fn base(&mut self, dot: Dot) -> Option<Vec<Tuple>> {
        let from = self.bases.partition_point(|base| base.dot < dot);
        let named = self.bases[from..].iter().take_while(|base| base.dot == dot);
        let mut named = named.map(|base| (self.documents[base.document as usize], base.number));
        let (state, number) = named.next()?;
        let tuples = state.spelled(number);
        if !self.unique.contains(&dot) {
            if !named.all(|(state, number)| state.spells(number, &tuples)) {
                return None;
            }
            self.unique.insert(dot);
        }
        Some(tuples)
    }
}
