//! automerge: a document of which the text is a part.

use automerge::{
    ActorId, AutoCommit, Change, ObjId, ObjType, ROOT, ReadDoc, transaction::Transactable,
};

use super::{GapBuffer, Replay, Subject, Way, merged};
use crate::{Patch, Trace, history::History, replay::timed};

const NAME: &str = "automerge 0.12";

/// Patches of a trace that are carried out one by one: all of the shortest take more than a minute, and
/// each costs more than the one before.
const PATCHES_MAX: usize = 1_000;

pub(super) fn subjects() -> Vec<Subject> {
    vec![
        Subject { name: NAME, way: Way::Local, prepare: local },
        Subject {
            name: "automerge 0.12, one commit for all",
            way: Way::Local,
            prepare: local_at_once,
        },
        Subject {
            name: "automerge 0.12, encoded, its first 1,000 patches, scaled",
            way: Way::Remote,
            prepare: remote,
        },
        Subject { name: NAME, way: Way::Bulk, prepare: bulk },
    ]
}

fn begun() -> AutoCommit {
    let mut document = AutoCommit::new().with_actor(ActorId::from([7; 16]));
    document.put_object(ROOT, "t", ObjType::Text).expect("an empty document");
    document.commit();
    document
}

fn part(document: &AutoCommit) -> ObjId {
    document.get(ROOT, "t").expect("it is there").expect("it is there").1
}

fn text(document: &AutoCommit) -> String {
    document.text(part(document)).expect("a text")
}

fn edit(document: &mut AutoCommit, patches: &[Patch], mut each: impl FnMut(&mut AutoCommit)) {
    let part = part(document);
    for Patch(at, removed, inserted) in patches {
        document.splice_text(&part, *at, *removed as isize, inserted).expect("inside the document");
        each(document);
    }
    document.commit();
}

fn edited(trace: &Trace, each: impl FnMut(&mut AutoCommit)) -> AutoCommit {
    let mut document = begun();
    edit(&mut document, &trace.patches, each);
    document
}

fn local(trace: &Trace) -> Replay<'_> {
    let commit = |document: &mut AutoCommit| {
        document.commit();
    };
    Box::new(move || timed(|| edited(trace, commit), text))
}

fn local_at_once(trace: &Trace) -> Replay<'_> {
    Box::new(|| timed(|| edited(trace, |_| ()), text))
}

/// The first patches alone; the figure is scaled to all of them.
fn remote(trace: &Trace) -> Replay<'_> {
    let patches = &trace.patches[..PATCHES_MAX.min(trace.patches.len())];
    let mut messages: Vec<Vec<u8>> = Vec::new();
    edit(&mut begun(), patches, |document| messages.push(committed(document)));
    let mut expected = GapBuffer::default();
    patches.iter().for_each(|patch| expected.edit(patch.0, patch.1, patch.2.as_bytes()));
    let expected = expected.text();
    let part_of_all = trace.patches.len() as f64 / patches.len() as f64;
    told(messages, expected, part_of_all, &trace.end)
}

/// A message a transaction. The first of them alone; the figure is scaled to all of them.
pub(super) fn merging(history: &History) -> Replay<'_> {
    let first = history.first(PATCHES_MAX);
    let begin = |agent| begun().with_actor(ActorId::from([8 + agent as u8; 16]));
    let messages = merged::told(&first, begin, take, |document, patches| {
        edit(document, patches, |_| ());
        committed(document)
    });
    let part_of_all = history.transactions.len() as f64 / first.transactions.len() as f64;
    told(messages, merged::text(&first), part_of_all, &history.end)
}

/// What was done since the last commit, as a message.
fn committed(document: &mut AutoCommit) -> Vec<u8> {
    document.commit();
    document.get_last_local_change().expect("a commit").bytes().to_vec()
}

fn take(document: &mut AutoCommit, message: &Vec<u8>) {
    let change = Change::from_bytes(message.clone()).expect("its own encoding");
    document.apply_changes([change]).expect("what it follows is there");
}

fn told<'a>(
    messages: Vec<Vec<u8>>,
    expected: String,
    part_of_all: f64,
    end: &'a str,
) -> Replay<'a> {
    Box::new(move || {
        let work = || {
            let mut document = begun();
            messages.iter().for_each(|message| take(&mut document, message));
            document
        };
        let mut replayed = timed(work, text);
        assert_eq!(replayed.text, expected, "the text after the first of them");
        end.clone_into(&mut replayed.text);
        replayed.micros *= part_of_all;
        let bytes = messages.iter().map(Vec::len).sum::<usize>() as f64 * part_of_all;
        replayed.from_bytes(bytes as usize)
    })
}

fn bulk(trace: &Trace) -> Replay<'_> {
    let bytes = edited(trace, |_| ()).save();
    let load = |bytes: &[u8]| AutoCommit::load(bytes).expect("its own encoding");
    Box::new(move || timed(|| load(&bytes), text).from_bytes(bytes.len()))
}
