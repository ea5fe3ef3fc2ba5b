//! Operations that come before the renames that begin their epochs are carried out in the order in which
//! they came, as soon as all that they wait for is there.

use sequence::{Integrated, Moves, Operation, Options, Priority, Sequence};

fn replica(site: u32) -> Sequence {
    Sequence::new(site, Options::default()).expect("a site")
}

fn typed(site: &mut Sequence, index: u64, text: &str) -> Operation {
    let told = site.insert(index, text, &mut |below| below / 2).expect("inside");
    told.into_iter().next().expect("one operation")
}

fn given(site: &mut Sequence, operation: &Operation) -> Integrated {
    site.apply(operation).expect("an honest operation")
}

#[test]
fn a_removal_that_waited_longer_than_its_insert_is_carried_out_behind_it() {
    let [mut one, mut two, mut three] = [1, 2, 3].map(replica);
    let hello = typed(&mut one, 0, "hello");
    given(&mut two, &hello);
    let rename = two.rename().expect("a document");
    given(&mut one, &hello);
    given(&mut one, &rename);
    let insert = typed(&mut one, 5, "!");
    let below = two.rename().expect("a document");
    given(&mut one, &below);
    given(&mut two, &insert);
    let removal = one.remove(5..6).expect("inside");
    // The rename below came first, and with it all that waits for it; but the insert is no child of it.
    assert_eq!(given(&mut three, &hello), Integrated::Done);
    for operation in [&below, &insert, &removal] {
        assert_eq!(given(&mut three, operation), Integrated::Waits);
    }
    let bytes = three.snapshot();
    let restored = Sequence::restore(3, Moves::Eager, &bytes).expect("its own snapshot");
    assert_eq!(restored.snapshot(), bytes);
    for mut three in [three, restored] {
        assert_eq!((given(&mut three, &rename), three.waiting()), (Integrated::Done, 0));
        assert_eq!((three.text(), three.intervals()), (one.text(), one.intervals()));
    }
}

#[test]
fn a_long_chain_of_renames_that_came_backwards_is_carried_out() {
    let options = Options { priority: Priority::Depth, ..Options::default() };
    let [mut one, mut two] = [1, 2].map(|site| Sequence::new(site, options).expect("a site"));
    let hello = typed(&mut one, 0, "hello");
    given(&mut two, &hello);
    let renames: Vec<Operation> = (0..4096).map(|_| one.rename().expect("a document")).collect();
    for rename in renames[1..].iter().rev() {
        assert_eq!(given(&mut two, rename), Integrated::Waits);
    }
    assert_eq!(given(&mut two, &renames[0]), Integrated::Done);
    assert_eq!((two.waiting(), two.epoch()), (0, one.epoch()));
    assert_eq!(two.intervals(), one.intervals());
    let bytes = two.snapshot();
    let restored = Sequence::restore(2, Moves::Eager, &bytes).expect("its own snapshot");
    assert_eq!((restored.epoch(), restored.intervals()), (two.epoch(), two.intervals()));
    assert_eq!(restored.snapshot(), bytes);
}

#[test]
fn two_long_chains_of_renames_side_by_side_are_restored() {
    let [mut one, mut two, mut three] = [1, 2, 3].map(replica);
    let hello = typed(&mut one, 0, "hello");
    given(&mut two, &hello);
    given(&mut three, &hello);
    for author in [&mut two, &mut one] {
        for _ in 0..2048 {
            given(&mut three, &author.rename().expect("a document"));
        }
    }
    assert_eq!(three.intervals(), two.intervals());
    let bytes = three.snapshot();
    let restored = Sequence::restore(3, Moves::Eager, &bytes).expect("its own snapshot");
    assert_eq!((restored.epoch(), restored.snapshot()), (two.epoch(), bytes));
}
