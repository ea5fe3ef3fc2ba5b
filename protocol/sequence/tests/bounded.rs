//! Memory over many renames: of a fleet that is always there it stays what it was, and what nobody collects
//! can be put aside.

use std::collections::BTreeMap;

use sequence::{EpochId, Moves, Operation, Options, Refused, Sequence};

const SITES: usize = 3;
const RENAMES: usize = 1000;

struct Fleet {
    sites: Vec<Sequence>,
    state: u64,
}

impl Fleet {
    fn new() -> Self {
        let site = |at| Sequence::new(at, Options::default()).expect("sites are above 0");
        Self { sites: (1..=SITES as u32).map(site).collect(), state: 9 }
    }

    /// Every site edits, one renames, and all of it is delivered.
    fn round(&mut self, round: usize) {
        let mut told: Vec<(usize, Operation)> = Vec::new();
        let Self { sites, state } = self;
        let mut draw = |below: u64| {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            *state % below
        };
        for (at, site) in sites.iter_mut().enumerate() {
            for _ in 0..4 {
                let index = draw(site.len() + 1);
                let typed = site.insert(index, "abc", &mut draw).expect("inside");
                told.extend(typed.into_iter().map(|operation| (at, operation)));
                if site.len() > 200 {
                    let from = draw(site.len() - 3);
                    told.push((at, site.remove(from..from + 3).expect("inside")));
                }
            }
        }
        let author = round % SITES;
        told.push((author, sites[author].rename().expect("a document")));
        for (from, operation) in &told {
            for (_, site) in sites.iter_mut().enumerate().filter(|(at, _)| at != from) {
                site.apply(operation).expect("an honest operation");
            }
        }
    }

    fn held(&self) -> usize {
        let held = |site: &Sequence| site.held() + site.held_by_former_states();
        self.sites.iter().map(held).max().unwrap_or_default()
    }
}

#[test]
fn a_thousand_renames_of_a_fleet_that_is_always_there_take_no_more_memory_than_a_hundred() {
    let mut fleet = Fleet::new();
    let (mut early, mut late) = (0, 0);
    for round in 0..RENAMES {
        fleet.round(round);
        let part = if round < RENAMES / 10 { &mut early } else { &mut late };
        *part = fleet.held().max(*part);
        // Everybody has delivered everything, and moved.
        for site in &mut fleet.sites {
            site.collect_announced([site.leading_epoch()]);
            assert_eq!(site.known_epochs().count(), 1);
        }
    }
    assert!(late <= early + early / 4, "{late} bytes after {early}");
    let texts: Vec<String> = fleet.sites.iter().map(Sequence::text).collect();
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn what_nobody_collects_is_put_aside_and_comes_back_for_what_is_late() {
    let mut fleet = Fleet::new();
    let mut store: BTreeMap<EpochId, Vec<u8>> = BTreeMap::new();
    fleet.round(0);
    // It was made in the first epoch, and comes when there are a hundred.
    let joined = Sequence::restore(9, Moves::Eager, &fleet.sites[0].snapshot());
    let mut silent = joined.expect("a snapshot");
    let (mut kept, mut aside) = (0, 0);
    for round in 1..100 {
        fleet.round(round);
        let site = &mut fleet.sites[1];
        for epoch in site.offloadable() {
            store.insert(epoch, site.offload(epoch).expect("it can be put aside"));
        }
        aside = aside.max(site.held_by_former_states());
        kept = fleet.sites[2].held_by_former_states();
    }
    assert!(kept > 50 * aside.max(1000), "{kept} bytes are kept, {aside} where they are put aside");
    assert_eq!(fleet.sites[1].offloaded().count(), store.len());
    // The bases that only they have go with them.
    let held = [1, 2].map(|at| fleet.sites[at].held() + fleet.sites[at].held_by_former_states());
    assert!(held[1] > 4 * held[0], "{} bytes, {} where nothing is put aside", held[0], held[1]);
    let late = silent.insert(3, "late", &mut |below| below / 2).expect("inside");
    let [operation] = &late[..] else { panic!("one operation") };
    fleet.sites[2].apply(operation).expect("an honest operation");
    let site = &mut fleet.sites[1];
    let before = site.text();
    let needed = site.needed(operation);
    assert!(matches!(site.apply(operation), Err(Refused::Offloaded(epoch)) if needed[0] == epoch));
    assert_eq!((site.text(), needed.len()), (before, 99));
    for epoch in needed {
        let other = store.iter().find(|(other, _)| **other != epoch).map(|(_, bytes)| bytes);
        assert!(site.load(epoch, other.expect("there are others")).is_err());
        site.load(epoch, &store[&epoch]).expect("what was put aside");
    }
    site.apply(operation).expect("all is here");
    assert_eq!(fleet.sites[1].intervals(), fleet.sites[2].intervals());
}
