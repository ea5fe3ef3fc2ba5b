//! Taken apart and put together, a replica is the same.

use sequence::{Identifier, Interval, Naming, Operation, Options, Refused, Sequence, Tuple};

/// Three replicas that edit and rename concurrently, and all that they told each other, in order of causes.
fn written() -> ([Sequence; 3], Vec<Operation>) {
    let replica = |site| Sequence::new(site, Options::default()).expect("a site");
    let mut sites = [1, 2, 3].map(replica);
    let mut told = Vec::new();
    let mut draw = |below: u64| below / 2;
    told.extend(sites[0].insert(0, "hello world", &mut draw).expect("it fits"));
    for site in &mut sites[1..] {
        site.apply(&told[0]).expect("it is taken");
    }
    for (at, text) in [(0, "A"), (1, "é"), (2, "語")] {
        told.extend(sites[at].insert(5, text, &mut draw).expect("it fits"));
        told.push(sites[at].rename().expect("there is something"));
        told.push(sites[at].remove(1..3).expect("it is there"));
    }
    (sites, told)
}

#[test]
fn parts_do_not_depend_on_the_order_of_delivery() {
    let ([mut one, mut two, _], told) = written();
    for operation in &told {
        one.apply(operation).expect("it is taken");
    }
    let (first, rest) = told[1..].split_at(3);
    let (second, third) = rest.split_at(3);
    for operation in [third, second, first].concat() {
        two.apply(&operation).expect("it is taken");
    }
    assert_eq!(one.parts().expect("nothing is aside"), two.parts().expect("nothing is aside"));
    assert_eq!(one.parts().expect("nothing is aside").renames.len(), 3);
}

#[test]
fn what_is_put_together_goes_on_as_what_was_taken_apart() {
    let ([mut one, ..], told) = written();
    let mut again =
        Sequence::assembled(9, Options::default(), &one.parts().expect("nothing is aside"))
            .expect("what a replica is");
    again.check();
    assert_eq!(again.parts().expect("nothing is aside"), one.parts().expect("nothing is aside"));
    for operation in &told {
        one.apply(operation).expect("it is taken");
        again.apply(operation).expect("it is taken");
        assert_eq!(
            again.parts().expect("nothing is aside"),
            one.parts().expect("nothing is aside")
        );
    }
    let stable = [one.leading_epoch()];
    assert_eq!(one.collect(&stable).epochs, again.collect(&stable).epochs);
    let again = Sequence::assembled(9, Options::default(), &one.parts().expect("nothing is aside"))
        .expect("a replica");
    assert_eq!(again.parts().expect("nothing is aside"), one.parts().expect("nothing is aside"));
}

#[test]
fn a_site_goes_on_with_the_names_that_it_gave() {
    let ([one, ..], _) = written();
    let mut other = one.at_site(4, Naming::Blocks, 7, [(3, 2)]).expect("a site");
    let end = other.len();
    let told = other.insert(end, "x", &mut |below| below / 2).expect("it fits");
    let Operation::Insert { first, .. } = &told[0] else { panic!("an insert") };
    assert_eq!((first.dot().site, first.dot().clock), (4, 7));
    assert!(one.at_site(0, Naming::Blocks, 0, []).is_err());
}

#[test]
fn a_copy_at_another_site_does_not_go_on_with_what_the_other_typed() {
    for given in [vec![], vec![(0, 5)]] {
        let mut one = Sequence::new(1, Options::default()).expect("a site");
        one.insert(0, "a", &mut |below| below / 2).expect("it fits");
        let mut two = one.at_site(2, Naming::Blocks, 3, given).expect("a site");
        let told = two.insert(1, "b", &mut |below| below / 2).expect("it fits");
        let Operation::Insert { first, .. } = &told[0] else { panic!("an insert") };
        assert_eq!((first.dot().site, first.dot().clock), (2, 3));
        assert_eq!(one.apply(&told[0]), Ok(sequence::Integrated::Done));
        assert_eq!(one.intervals(), two.intervals());
    }
}

#[test]
fn what_is_aside_is_taken_back_before_a_replica_is_taken_apart() {
    let ([mut one, mut two, _], _) = written();
    let parts = one.parts();
    for operation in [two.rename(), one.rename()].map(|rename| rename.expect("a document")) {
        one.apply(&operation).expect("it is taken");
    }
    let whole = one.parts();
    let aside: Vec<_> =
        one.offloadable().into_iter().map(|epoch| (epoch, one.offload(epoch))).collect();
    assert!(!aside.is_empty() && parts != whole);
    assert_eq!(one.offload(aside[0].0), None);
    for (epoch, bytes) in aside {
        assert!(matches!(one.parts(), Err(Refused::Offloaded(_))));
        one.load(epoch, &bytes.expect("it can be put aside")).expect("what was put aside");
    }
    assert_eq!(one.parts(), whole);
}

#[test]
fn what_no_replica_is_made_of_is_refused() {
    let ([one, ..], _) = written();
    let parts = one.parts().expect("nothing is aside");
    let refused = |change: &dyn Fn(&mut sequence::Parts)| {
        let mut parts = parts.clone();
        change(&mut parts);
        Sequence::assembled(9, Options::default(), &parts).expect_err("refused")
    };
    assert!(matches!(refused(&|parts| parts.text.push('!')), Refused::Range { .. }));
    assert!(matches!(refused(&|parts| parts.document.reverse()), Refused::Order(_)));
    assert!(matches!(refused(&|parts| parts.renames.clear()), Refused::Unknown(_)));
    let twice = refused(&|parts| parts.renames.push(parts.renames[0].clone()));
    assert!(matches!(twice, Refused::Duplicate(_)));
    let stray = Tuple { position: 0, site: 1, clock: 9, offset: i32::MAX - 1 };
    let first = Identifier::new([stray]).expect("an identifier");
    let longest = Interval { first, end: i32::MAX };
    let overflown = refused(&|parts| parts.renames[0].former.push(longest.clone()));
    assert!(matches!(overflown, Refused::Offsets { .. }));
}
