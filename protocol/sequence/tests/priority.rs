//! Which of two epochs leads.

use sequence::{Dot, EpochId, Moves, Operation, Options, Priority, Sequence};

#[test]
fn two_epochs_are_compared_as_all_are_sorted() {
    for priority in [Priority::Lexicographic, Priority::Depth, Priority::Covered] {
        let options = Options { priority, moves: Moves::AfterStable, ..Options::default() };
        let mut one = Sequence::new(1, options).expect("a site");
        one.insert(0, "text", &mut |_| 0).expect("inside");
        let Ok(Operation::Rename { former, .. }) = one.clone().rename() else { panic!("a rename") };
        // Chains that part again and again: each epoch is renamed by the sites 2 and 3, or by one of them.
        let mut ends = vec![EpochId::Origin];
        for clock in 0..20 {
            let epoch = ends[clock as usize * 7 % ends.len()];
            for site in 2..=2 + clock % 2 {
                let dot = Dot { site, clock };
                let rename = Operation::Rename { epoch, dot, former: former.clone() };
                one.apply(&rename).expect("a rename");
                ends.push(EpochId::Renamed(dot));
            }
        }
        let sorted = one.epochs_by_priority();
        assert_eq!((sorted.len(), sorted.last()), (31, Some(&one.leading_epoch())));
        for (at, epoch) in sorted.iter().enumerate() {
            assert!(one.knows_epoch(*epoch));
            for (place, other) in sorted.iter().enumerate() {
                assert_eq!(one.compare_epochs(*epoch, *other), Some(at.cmp(&place)));
            }
        }
        let unknown = EpochId::Renamed(Dot { site: 9, clock: 9 });
        assert!(!one.knows_epoch(unknown));
        assert_eq!(one.compare_epochs(unknown, EpochId::Origin), None);
    }
}
