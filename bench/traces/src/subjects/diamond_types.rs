//! diamond-types: positions and a graph of time, and a text beside them.

use diamond_types::list::{ListCRDT, encoding::ENCODE_FULL, operation::Operation};

use super::{Replay, Subject, Way};
use crate::{Patch, Trace, replay::timed};

const NAME: &str = "diamond-types 1.0.0";

pub(super) fn subjects() -> Vec<Subject> {
    vec![
        Subject { name: NAME, way: Way::Local, prepare: local },
        Subject { name: NAME, way: Way::Remote, prepare: remote },
        Subject { name: NAME, way: Way::Bulk, prepare: bulk },
    ]
}

fn operations(Patch(at, removed, inserted): &Patch, out: &mut Vec<Operation>) {
    out.clear();
    if *removed > 0 {
        out.push(Operation::new_delete(*at..at + removed));
    }
    if !inserted.is_empty() {
        out.push(Operation::new_insert(*at, inserted));
    }
}

fn text(list: &ListCRDT) -> String {
    list.branch.content().to_string()
}

fn edited(trace: &Trace) -> ListCRDT {
    let mut list = ListCRDT::new();
    let agent = list.get_or_create_agent_id("a");
    let mut patch_operations = Vec::with_capacity(2);
    for patch in &trace.patches {
        operations(patch, &mut patch_operations);
        list.apply_local_operations(agent, &patch_operations);
    }
    list
}

fn local(trace: &Trace) -> Replay<'_> {
    Box::new(|| timed(|| edited(trace), text))
}

/// No codec: operations are handed over as they are, and the text follows each.
fn remote(trace: &Trace) -> Replay<'_> {
    Box::new(|| {
        let work = || {
            let mut list = ListCRDT::new();
            let agent = list.get_or_create_agent_id("a");
            let mut patch_operations = Vec::with_capacity(2);
            for patch in &trace.patches {
                operations(patch, &mut patch_operations);
                let parents = list.oplog.local_version();
                list.oplog.add_operations_at(agent, &parents, &patch_operations);
                let version = list.oplog.local_version();
                list.branch.merge(&list.oplog, &version);
            }
            list
        };
        timed(work, text)
    })
}

fn bulk(trace: &Trace) -> Replay<'_> {
    let bytes = edited(trace).oplog.encode(ENCODE_FULL);
    let load = |bytes: &[u8]| ListCRDT::load_from(bytes).expect("its own encoding");
    Box::new(move || timed(|| load(&bytes), text).from_bytes(bytes.len()))
}
