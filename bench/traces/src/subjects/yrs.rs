//! yrs, the Rust port of Yjs: one transaction a patch.

use yrs::{
    Doc, GetString, ReadTxn, StateVector, Text, TextRef, Transact, TransactionMut, Update,
    updates::decoder::Decode,
};

use super::{Replay, Subject, Way, merged};
use crate::{Patch, Trace, history::History, replay::timed};

const NAME: &str = "yrs 0.28";

pub(super) fn subjects() -> Vec<Subject> {
    vec![
        Subject { name: NAME, way: Way::Local, prepare: local },
        Subject { name: "yrs 0.28, encoded", way: Way::Remote, prepare: remote },
        Subject { name: NAME, way: Way::Bulk, prepare: bulk },
    ]
}

fn text(document: &Doc) -> String {
    let text = document.get_or_insert_text("t");
    text.get_string(&document.transact())
}

fn edit(text: &TextRef, transaction: &mut TransactionMut<'_>, patch: &Patch) {
    let Patch(at, removed, inserted) = patch;
    if *removed > 0 {
        text.remove_range(transaction, *at as u32, *removed as u32);
    }
    if !inserted.is_empty() {
        text.insert(transaction, *at as u32, inserted);
    }
}

fn edited(trace: &Trace, mut tell: impl FnMut(&TransactionMut<'_>)) -> Doc {
    let document = Doc::new();
    let text = document.get_or_insert_text("t");
    for patch in &trace.patches {
        let mut transaction = document.transact_mut();
        edit(&text, &mut transaction, patch);
        tell(&transaction);
    }
    document
}

fn local(trace: &Trace) -> Replay<'_> {
    Box::new(|| timed(|| edited(trace, |_| ()), text))
}

fn reader() -> Doc {
    let document = Doc::new();
    document.get_or_insert_text("t");
    document
}

fn take(document: &Doc, message: &[u8]) {
    let update = Update::decode_v1(message).expect("its own encoding");
    document.transact_mut().apply_update(update).expect("what it follows is there");
}

fn remote(trace: &Trace) -> Replay<'_> {
    let mut messages = Vec::with_capacity(trace.patches.len());
    edited(trace, |transaction| messages.push(transaction.encode_update_v1()));
    told(messages)
}

/// A message a transaction.
pub(super) fn merging(history: &History) -> Replay<'_> {
    let begin = |agent| Doc::with_client_id(agent as u64 + 1);
    let hear = |document: &mut Doc, message: &Vec<u8>| take(document, message);
    told(merged::told(history, begin, hear, |document, patches| {
        let text = document.get_or_insert_text("t");
        let mut transaction = document.transact_mut();
        patches.iter().for_each(|patch| edit(&text, &mut transaction, patch));
        transaction.encode_update_v1()
    }))
}

fn told<'a>(messages: Vec<Vec<u8>>) -> Replay<'a> {
    let bytes = messages.iter().map(Vec::len).sum();
    Box::new(move || {
        let work = || {
            let document = reader();
            messages.iter().for_each(|message| take(&document, message));
            document
        };
        timed(work, text).from_bytes(bytes)
    })
}

fn bulk(trace: &Trace) -> Replay<'_> {
    let document = edited(trace, |_| ());
    let bytes = document.transact().encode_state_as_update_v1(&StateVector::default());
    Box::new(move || {
        let work = || {
            let document = reader();
            take(&document, &bytes);
            document
        };
        timed(work, text).from_bytes(bytes.len())
    })
}
