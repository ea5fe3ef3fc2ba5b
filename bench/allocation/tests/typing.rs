//! Typing and rubbing out allocate nothing but the room that text takes, here and where it is replicated.
//!
//! One test and so one thread: the allocator counts for the whole process.

use common::counting::{Counting, allocations};
use sequence::{Operation, Options, Reader, Sequence, Writer};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Characters that are typed, and rubbed out again.
const TYPED: u64 = 50_000;

/// Allocations for as many characters: leaves, and the growth of theirs. A leaf has 2 KB, so it is far less.
const ALLOCATIONS_MAX: u64 = TYPED / 100;

fn counted(work: impl FnOnce()) -> u64 {
    let before = allocations();
    work();
    allocations() - before
}

fn replica(site: u32) -> Sequence {
    let mut replica = Sequence::new(site, Options::default()).expect("a site");
    let text = "text that is there before. ".repeat(1_000);
    if site == 1 {
        replica.insert(0, &text, &mut |_| 0).expect("it fits");
    }
    replica
}

#[test]
fn what_goes_on_allocates_nothing() {
    an_edit_that_goes_on_allocates_nothing();
    an_operation_that_goes_on_allocates_nothing();
}

fn an_edit_that_goes_on_allocates_nothing() {
    // The check can fail: what is counted is counted.
    assert_eq!(counted(|| drop(std::hint::black_box(vec![1_u8]))), 1);
    let (mut author, mut draw) = (replica(1), |below| below / 2);
    let here = author.len() / 2;
    author.insert_runs(here, "x", &mut draw).expect("it fits");
    let typing = counted(|| {
        for typed in 1..TYPED {
            author.insert_runs(here + typed, "x", &mut draw).expect("it fits");
        }
    });
    assert!(typing <= ALLOCATIONS_MAX, "{typing} allocations for {TYPED} characters");
    let rubbing = counted(|| {
        for typed in (1..TYPED).rev() {
            author.remove_runs(here + typed..here + typed + 1).expect("it is there");
        }
    });
    assert!(rubbing <= ALLOCATIONS_MAX, "{rubbing} allocations for {TYPED} removals");
}

fn an_operation_that_goes_on_allocates_nothing() {
    let (mut author, mut draw) = (replica(1), |below| below / 2);
    let here = author.len() / 2;
    let mut operations: Vec<Operation> = Vec::new();
    for typed in 0..TYPED {
        operations.extend(author.insert(here + typed, "x", &mut draw).expect("it fits"));
    }
    for typed in (0..TYPED).rev() {
        operations.push(author.remove(here + typed..here + typed + 1).expect("it is there"));
    }
    let mut writer = Writer::default();
    let write = |operation| writer.write(std::slice::from_ref(operation)).expect("short");
    let messages: Vec<Vec<u8>> = operations.iter().map(write).collect();

    let (mut reader, mut other) = (replica(2), replica(3));
    let values = counted(|| {
        for operation in &operations {
            reader.apply(operation).expect("an author's operation");
        }
    });
    assert!(values <= 2 * ALLOCATIONS_MAX, "{values} allocations for {} ", operations.len());
    let mut dictionary = Reader::default();
    let encoded = counted(|| {
        for message in &messages {
            let applied = other.apply_message(&mut dictionary, message).expect("a message");
            assert_eq!(applied.done, 1);
        }
    });
    assert!(encoded <= 2 * ALLOCATIONS_MAX, "{encoded} allocations for {}", messages.len());
    assert!(reader.is_empty() && other.is_empty());
}
