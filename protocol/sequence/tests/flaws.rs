//! What is planted is found: replicas that are wrong come apart, without a panic, and right ones do not.

use sequence::{EpochId, Flaw, Moves, Operation, Options, Refused, Sequence};

const SITES: usize = 3;
const RUNS: u64 = 400;

/// splitmix64.
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

struct Site {
    replica: Sequence,
    /// The operations that were delivered, a bit each.
    delivered: u128,
    /// The epoch that each site was in when it made the last that was delivered here.
    announced: [EpochId; SITES],
}

struct Sent {
    operation: Operation,
    from: usize,
    needs: u128,
}

fn edit(replica: &mut Sequence, rng: &mut Rng) -> Result<Vec<Operation>, Refused> {
    let length = replica.len();
    match rng.below(10) {
        0 if length > 0 => Ok(vec![replica.rename()?]),
        1..=4 if length > 0 => {
            // Mostly at the end: there names are given again, where they are.
            let from = if rng.below(2) == 0 { length - 1 } else { rng.below(length) };
            Ok(vec![replica.remove(from..length.min(from + 1 + rng.below(2)))?])
        }
        _ => {
            let index = if rng.below(2) == 0 { length } else { rng.below(length + 1) };
            let text = &"abcd"[..1 + rng.below(3) as usize];
            replica.insert(index, text, &mut |bound| rng.below(bound.min(4))).map(Vec::from)
        }
    }
}

/// The texts at the end of a run under causal delivery, and what waits or was refused.
fn run(seed: u64, moves: Moves, flaw: Option<Flaw>) -> (Vec<String>, usize) {
    let mut rng = Rng(seed);
    let site = |at: usize| {
        let options = Options { moves, ..Options::default() };
        let mut replica = Sequence::new(at as u32 + 1, options).expect("sites are above 0");
        replica.plant(flaw);
        Site { replica, delivered: 0, announced: [EpochId::Origin; SITES] }
    };
    let mut sites: Vec<Site> = (0..SITES).map(site).collect();
    let mut sent: Vec<Sent> = Vec::new();
    let mut refused = 0;
    let mut deliver = |sites: &mut Vec<Site>, sent: &[Sent], at: usize, rng: &mut Rng| {
        let site = &mut sites[at];
        let ready = |index: &usize| {
            site.delivered & (1 << index) == 0 && sent[*index].needs & !site.delivered == 0
        };
        let ready: Vec<usize> = (0..sent.len()).filter(ready).collect();
        if ready.is_empty() {
            return false;
        }
        let index = ready[rng.below(ready.len() as u64) as usize];
        let Sent { operation, from, .. } = &sent[index];
        refused += usize::from(site.replica.apply(operation).is_err());
        site.delivered |= 1 << index;
        site.announced[*from] = match operation {
            Operation::Rename { dot, .. } => EpochId::Renamed(*dot),
            other => other.epoch(),
        };
        true
    };
    while sent.len() < 60 {
        let at = rng.below(SITES as u64) as usize;
        if rng.below(2) == 0 {
            deliver(&mut sites, &sent, at, &mut rng);
            continue;
        }
        let site = &mut sites[at];
        for operation in edit(&mut site.replica, &mut rng).expect("inside the document") {
            let needs = site.delivered;
            site.delivered |= 1 << sent.len();
            sent.push(Sent { operation, from: at, needs });
        }
        site.announced[at] = site.replica.epoch();
        if rng.below(8) == 0 {
            site.replica.collect_announced(site.announced);
            let bytes = site.replica.snapshot();
            let restored = Sequence::restore_planted(at as u32 + 1, moves, flaw, &bytes);
            site.replica = restored.expect("its own snapshot");
        }
        site.replica.check();
    }
    for at in 0..SITES {
        while deliver(&mut sites, &sent, at, &mut rng) {}
        sites[at].replica.move_to_leading();
        sites[at].replica.check();
    }
    let waiting: usize = sites.iter().map(|site| site.replica.waiting()).sum();
    (sites.iter().map(|site| site.replica.text()).collect(), waiting + refused)
}

/// How many runs end with other texts, or with something that waits or was refused.
fn apart(moves: Moves, flaw: Option<Flaw>) -> u64 {
    let held = |seed: &u64| {
        let (texts, undone) = run(*seed, moves, flaw);
        undone == 0 && texts.windows(2).all(|pair| pair[0] == pair[1])
    };
    RUNS - (0..RUNS).filter(held).count() as u64
}

#[test]
fn what_is_right_stays_together_whenever_it_moves() {
    for moves in [Moves::Eager, Moves::AfterOperations(3), Moves::AfterStable] {
        assert_eq!(apart(moves, None), 0, "{moves:?}");
    }
}

#[test]
fn the_mapping_that_is_printed_takes_replicas_apart() {
    assert!(apart(Moves::Eager, Some(Flaw::PrintedMapping)) > 0);
}

#[test]
fn names_that_are_given_twice_take_replicas_apart() {
    assert!(apart(Moves::Eager, Some(Flaw::ReusesNames)) > 0);
}

#[test]
fn collection_by_delivery_alone_takes_replicas_apart_where_moves_are_postponed() {
    let flaw = Some(Flaw::CollectsDelivered);
    assert!(apart(Moves::AfterOperations(3), flaw) > 0);
    assert!(apart(Moves::AfterStable, flaw) > 0);
}
