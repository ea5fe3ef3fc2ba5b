//! A copy of the text, as an editor keeps it.

use sequence::{Change, Place};

/// Makes `change` in a copy of the text.
pub(crate) fn take_over(shown: &mut String, change: Change<'_>) {
    let place = |utf8: u64| {
        let before = &shown[..utf8 as usize];
        let [index, utf16] = [before.chars().count(), before.encode_utf16().count()];
        Place { index: index as u64, utf8, utf16: utf16 as u64 }
    };
    match change {
        Change::Inserted { at, text } => {
            assert!(at == place(at.utf8) && !text.is_empty(), "{change:?} in {shown:?}");
            shown.insert_str(at.utf8 as usize, text);
        }
        Change::Removed { from, to } => {
            let there = from == place(from.utf8) && to == place(to.utf8);
            assert!(there && from < to, "{change:?} in {shown:?}");
            shown.replace_range(from.utf8 as usize..to.utf8 as usize, "");
        }
    }
}
