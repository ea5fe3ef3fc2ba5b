//! No name is given twice, whatever a replica forgets and comes back with.

use sequence::{Moves, Operation, Options, Priority, Sequence};

fn replica(site: u32) -> Sequence {
    let options = Options { priority: Priority::Depth, ..Options::default() };
    Sequence::new(site, options).expect("a site")
}

fn middle(below: u64) -> u64 {
    below / 2
}

fn typed(site: &mut Sequence, index: u64, text: &str) -> Operation {
    let told = site.insert(index, text, &mut middle).expect("inside");
    told.into_iter().next().expect("one operation")
}

fn come_back(site: &mut Sequence) {
    let bytes = site.snapshot();
    *site = Sequence::restore(site.site(), Moves::Eager, &bytes).expect("its own snapshot");
    assert_eq!(site.snapshot(), bytes);
}

/// A rename at site 2 names three elements. The site is led to an epoch of another and comes back there, and
/// is then led below its own rename again, by one that found the last of the three alone.
#[test]
fn a_site_that_left_the_epoch_of_its_rename_still_knows_what_that_named() {
    let [mut one, mut two, mut three, mut four] = [1, 2, 3, 4].map(replica);
    let first = typed(&mut one, 0, "x");
    let last = typed(&mut three, 0, "z");
    two.apply(&first).expect("it is taken");
    two.apply(&last).expect("it is taken");
    let from = two.text().find('x').expect("it is there") as u64 + 1;
    let between = typed(&mut two, from, "y");
    assert_eq!(two.text(), "xyz");
    let own = two.rename().expect("a document");
    four.apply(&last).expect("it is taken");
    let sibling = four.rename().expect("a document");
    two.apply(&sibling).expect("it is taken");
    come_back(&mut two);
    let gone = two.remove(1..2).expect("inside");
    // No more is owed to a rename than the one that began its epoch.
    three.apply(&own).expect("it is taken");
    let below = three.rename().expect("a document");
    two.apply(&below).expect("it is taken");
    come_back(&mut two);
    let told = typed(&mut two, 1, "w");
    assert_eq!(two.text(), "xwz");
    // A removal comes after its inserts: nothing else is owed.
    let known = [&first, &last, &between, &own, &sibling, &below];
    for others in [[&gone, &told], [&told, &gone]] {
        let mut late = replica(5);
        for operation in known.into_iter().chain(others) {
            late.apply(operation).expect("it is taken");
        }
        assert_eq!((late.text(), late.intervals()), (two.text(), two.intervals()));
    }
}
