//! loro: a log of operations and a rich text; each patch is a commit, as an editor would have it.

use std::sync::{Arc, Mutex};

use loro::{ExportMode, LoroDoc};

use super::{Replay, Subject, Way, merged};
use crate::{Patch, Trace, history::History, replay::timed};

const NAME: &str = "loro 1.17";

pub(super) fn subjects() -> Vec<Subject> {
    vec![
        Subject { name: NAME, way: Way::Local, prepare: local },
        Subject { name: "loro 1.17, one commit for all", way: Way::Local, prepare: local_at_once },
        Subject { name: "loro 1.17, encoded", way: Way::Remote, prepare: remote },
        Subject { name: NAME, way: Way::Bulk, prepare: bulk },
        Subject { name: NAME, way: Way::Load, prepare: load },
    ]
}

fn text(document: &LoroDoc) -> String {
    document.get_text("t").to_string()
}

fn edit(document: &LoroDoc, patches: &[Patch], each: bool) {
    let text = document.get_text("t");
    for Patch(at, removed, inserted) in patches {
        if *removed > 0 {
            text.delete(*at, *removed).expect("inside the document");
        }
        if !inserted.is_empty() {
            text.insert(*at, inserted).expect("inside the document");
        }
        if each {
            document.commit();
        }
    }
    document.commit();
}

fn begun() -> LoroDoc {
    let document = LoroDoc::new();
    document.set_peer_id(1).expect("nothing is pending");
    document
}

fn edited(trace: &Trace, each: bool) -> LoroDoc {
    let document = begun();
    edit(&document, &trace.patches, each);
    document
}

fn local(trace: &Trace) -> Replay<'_> {
    Box::new(|| timed(|| edited(trace, true), text))
}

fn local_at_once(trace: &Trace) -> Replay<'_> {
    Box::new(|| timed(|| edited(trace, false), text))
}

fn messages(trace: &Trace) -> Vec<Vec<u8>> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let document = begun();
    let here = Arc::clone(&told);
    let listening = document.subscribe_local_update(Box::new(move |update| {
        here.lock().expect("one thread").push(update.clone());
        true
    }));
    edit(&document, &trace.patches, true);
    drop(listening);
    std::mem::take(&mut *told.lock().expect("one thread"))
}

fn remote(trace: &Trace) -> Replay<'_> {
    told(messages(trace))
}

/// A message a transaction.
pub(super) fn merging(history: &History) -> Replay<'_> {
    let begin = |agent| {
        let document = LoroDoc::new();
        document.set_peer_id(agent as u64 + 1).expect("nothing is pending");
        document
    };
    let take = |document: &mut LoroDoc, message: &Vec<u8>| {
        document.import(message).expect("its own encoding");
    };
    told(merged::told(history, begin, take, |document, patches| {
        let before = document.oplog_vv();
        edit(document, patches, false);
        document.export(ExportMode::updates(&before)).expect("nothing is pending")
    }))
}

fn told<'a>(messages: Vec<Vec<u8>>) -> Replay<'a> {
    let bytes = messages.iter().map(Vec::len).sum();
    Box::new(move || {
        let work = || {
            let document = LoroDoc::new();
            for message in &messages {
                document.import(message).expect("its own encoding");
            }
            document
        };
        timed(work, text).from_bytes(bytes)
    })
}

fn bulk(trace: &Trace) -> Replay<'_> {
    imported(edited(trace, false).export(ExportMode::all_updates()).expect("nothing is pending"))
}

/// A snapshot is read when it is looked at: the text is.
fn load(trace: &Trace) -> Replay<'_> {
    imported(edited(trace, false).export(ExportMode::Snapshot).expect("nothing is pending"))
}

fn imported<'a>(bytes: Vec<u8>) -> Replay<'a> {
    let load = |bytes: &[u8]| {
        let document = LoroDoc::new();
        document.import(bytes).expect("its own encoding");
        std::hint::black_box(text(&document));
        document
    };
    Box::new(move || timed(|| load(&bytes), text).from_bytes(bytes.len()))
}
