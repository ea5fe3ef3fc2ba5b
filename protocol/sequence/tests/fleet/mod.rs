//! Sites that edit, rename, lag and collect at random, each the real sequence and the reference side by
//! side, with every property checked after every step.
//!
//! A run is a function of its seed.

mod editor;
mod seen;

use std::{collections::BTreeMap, panic::AssertUnwindSafe};

use sequence::{
    EpochId, Identifier, Integrated, Moves, Naming, Operation, Options, Priority, Reader, Refused,
    Sequence, Tuple, Unreadable, Writer,
};

pub(crate) use editor::take_over;
pub(crate) use seen::Seen;

use crate::reference::{Id, Mapping, Reference, spelled};

/// splitmix64.
#[derive(Clone, Debug)]
pub(crate) struct Rng(pub u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// What delivery promises beside once each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Causal order.
    Causal,
    /// A removal after its inserts, an operation after the rename that began its epoch: nothing else.
    Minimal,
}

/// What a run is like.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) sites: u64,
    pub(crate) operations: usize,
    pub(crate) rename_percent: u64,
    pub(crate) deliver_percent: u64,
    /// From how many positions of a gap a new identifier takes one.
    pub(crate) positions: u64,
    pub(crate) delivery: Delivery,
    pub(crate) options: Options,
    pub(crate) collects: bool,
    /// Whether former states are put aside at times.
    pub(crate) offloads: bool,
    /// Which mapping the reference has; the real one takes part with the right one alone.
    pub(crate) mapping: Mapping,
    /// Whether sites, clocks, positions and offsets are as great and as small as they can be.
    pub(crate) far: bool,
}

impl Plan {
    pub(crate) fn draw(rng: &mut Rng, mapping: Mapping) -> Self {
        let moves = [Moves::Eager, Moves::Eager, Moves::AfterOperations(3), Moves::AfterStable];
        let priority = [Priority::Lexicographic, Priority::Depth, Priority::Covered];
        let naming = if rng.chance(90) { Naming::Blocks } else { Naming::Elements };
        let delivery = if rng.chance(70) { Delivery::Causal } else { Delivery::Minimal };
        let moves = match mapping {
            Mapping::Repaired => moves[rng.below(4) as usize],
            Mapping::Printed => Moves::Eager,
        };
        Self {
            sites: 3 + rng.below(3),
            operations: 20 + rng.below(45) as usize,
            rename_percent: [0, 3, 8, 15, 30][rng.below(5) as usize],
            deliver_percent: 30 + rng.below(50),
            positions: [1, 2, 8, u64::MAX, u64::MAX][rng.below(5) as usize],
            delivery,
            options: Options {
                naming,
                priority: priority[rng.below(3) as usize],
                moves,
                ..Options::default()
            },
            collects: delivery == Delivery::Causal && rng.chance(50),
            offloads: rng.chance(50),
            mapping,
            far: false,
        }
    }
}

/// A run in so many has numbers at the ends of their ranges.
const FAR_EACH: u64 = 16;

/// Names of a site in a run with far numbers: more than it can give in one.
const FAR_NAMES: u32 = 400;

/// What everybody has from the beginning in a run with far numbers: the last names that a base has.
fn far_insert() -> Operation {
    let tuple = Tuple { position: 5, site: 3, clock: 7, offset: i32::MAX - 4 };
    let first = Identifier::new([tuple]).expect("an identifier");
    Operation::Insert { epoch: EpochId::Origin, first, text: "wxyz".into() }
}

struct Site {
    real: Option<Sequence>,
    /// The text as an editor has it that is told of changes.
    shown: String,
    /// The former states that it put aside.
    store: BTreeMap<EpochId, Vec<u8>>,
    reference: Reference,
    delivered: u128,
    /// The epoch that each site was in when it made the last operation that came here.
    announced: Vec<EpochId>,
    writer: Writer,
    /// One for each sender.
    readers: Vec<Reader>,
}

struct Sent {
    operation: Operation,
    /// What the sender's dictionary makes of it.
    bytes: Vec<u8>,
    /// A rename, its bases named.
    short: Option<Vec<u8>>,
    from: usize,
    /// What must be delivered before.
    needs: u128,
}

struct Fleet {
    plan: Plan,
    rng: Rng,
    sites: Vec<Site>,
    sent: Vec<Sent>,
    /// By element (who made it, which base, which of it): the operation that inserted it.
    born: BTreeMap<(u32, u32, i32), usize>,
    /// By element: its identifier in the origin epoch, which is the same on every way there.
    roots: BTreeMap<(u32, u32, i32), Id>,
    seen: Seen,
}

fn key(id: &[Tuple]) -> (u32, u32, i32) {
    let last = id.last().expect("an identifier has a tuple");
    (last.site, last.clock, last.offset)
}

/// Carries out the run of `seed`. Errors: which property broke, and where.
pub(crate) fn run(seed: u64, mapping: Mapping) -> Result<Seen, String> {
    let went = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let mut rng = Rng(seed);
        let mut plan = Plan::draw(&mut rng, mapping);
        plan.far = mapping == Mapping::Repaired && seed % FAR_EACH == 7;
        let told = format!("{plan:?}");
        Fleet::new(plan, rng).run().map_err(|why| format!("seed {seed}: {why}\n  {told}"))
    }));
    went.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("seed {seed}: panicked: {}", text.unwrap_or_default()))
    })
}

impl Fleet {
    fn new(plan: Plan, rng: Rng) -> Self {
        let Options { naming, priority, .. } = plan.options;
        let site = |at: u64| {
            let most = (1 << 31) - 1;
            let name = if plan.far { most - (plan.sites - at) as u32 } else { at as u32 } + 1;
            let mut real = Sequence::new(name, plan.options).expect("sites are above 0");
            let mut reference = Reference::new(name, naming, priority, plan.mapping);
            if plan.far {
                reference.clock = most - FAR_NAMES;
                real = real.at_site(name, naming, reference.clock, []).expect("it is a site");
                real.apply(&far_insert()).expect("an honest operation");
                reference.apply(&far_insert());
            }
            Site {
                store: BTreeMap::new(),
                shown: real.text(),
                real: (plan.mapping == Mapping::Repaired).then_some(real),
                reference,
                delivered: 0,
                announced: vec![EpochId::Origin; plan.sites as usize],
                writer: Writer::default(),
                readers: vec![Reader::default(); plan.sites as usize],
            }
        };
        let sites = (0..plan.sites).map(site).collect();
        let Options { naming, priority, moves, .. } = plan.options;
        let way = format!("{priority:?}, {moves:?}, {naming:?}");
        let far = u64::from(plan.far);
        let seen = Seen { runs: 1, far, ways: BTreeMap::from([(way, 1)]), ..Seen::default() };
        Self {
            plan,
            rng,
            sites,
            sent: Vec::new(),
            born: BTreeMap::new(),
            roots: BTreeMap::new(),
            seen,
        }
    }

    fn run(mut self) -> Result<Seen, String> {
        while self.sent.len() < self.plan.operations {
            let at = self.rng.below(self.plan.sites) as usize;
            if self.rng.chance(self.plan.deliver_percent) {
                self.deliver(at)?;
            } else {
                self.edit(at)?;
            }
            if self.plan.collects && self.rng.chance(5) {
                self.collect(at)?;
            }
            if self.plan.offloads && self.rng.chance(15) {
                self.offload(at)?;
            }
            if self.rng.chance(4) {
                self.restore(at)?;
            }
        }
        for at in 0..self.sites.len() {
            while self.deliver(at)? {}
        }
        self.converged()?;
        Ok(self.seen)
    }

    fn edit(&mut self, at: usize) -> Result<(), String> {
        let rng = &mut self.rng;
        let site = &mut self.sites[at];
        let length = site.reference.elements.len();
        let before: Vec<char> = site.reference.text().chars().collect();
        let mut expected = before.clone();
        let positions = self.plan.positions;
        let operations = if length > 0 && rng.chance(self.plan.rename_percent) {
            // A replica that postpones its moves catches up before it renames.
            let leading = site.reference.epochs.leading();
            site.reference.move_to(leading);
            self.seen.renames += 1;
            let operation = site.reference.rename();
            if let Some(real) = &mut site.real {
                let found = real.rename().map_err(|why| why.to_string())?;
                same("the rename", &found, &operation)?;
            }
            vec![operation]
        } else if length > 0 && rng.chance(35) {
            let from = rng.below(length as u64) as usize;
            let to = length.min(from + 1 + rng.below(4) as usize);
            expected.drain(from..to);
            let operation = site.reference.remove(from, to);
            if let Some(real) = &mut site.real {
                let found = real.remove(from as u64..to as u64).map_err(|why| why.to_string())?;
                same("the removal", &found, &operation)?;
            }
            vec![operation]
        } else {
            let index = if rng.chance(40) { length } else { rng.below(length as u64 + 1) as usize };
            let letters = ["a", "b", "c", "é", "語", "𝒳", "0"];
            let count = 1 + rng.below(4);
            let text: String = (0..count).map(|_| letters[rng.below(7) as usize]).collect();
            expected.splice(index..index, text.chars());
            let start = rng.next();
            let far = self.plan.far;
            let draw = |rng: &mut Rng, bound: u64| match rng.next() {
                drawn if far => [0, bound - 1][(drawn % 2) as usize],
                drawn => drawn % bound.min(positions),
            };
            let mut first = Rng(start);
            let operations =
                site.reference.insert(index, &text, &mut |bound| draw(&mut first, bound));
            if let Some(real) = &mut site.real {
                let mut second = Rng(start);
                let found = real.insert(index as u64, &text, &mut |bound| draw(&mut second, bound));
                let found = found.map(Vec::from).map_err(|why| why.to_string())?;
                same("the insert", &found, &operations)?;
            }
            operations
        };
        same(
            "the text after a local edit",
            &self.sites[at].reference.elements.len(),
            &expected.len(),
        )?;
        let text: String = expected.into_iter().collect();
        same("the text after a local edit", &self.sites[at].reference.text(), &text)?;
        self.sites[at].shown = text;
        for operation in operations {
            self.send(at, operation);
        }
        self.check(at)
    }

    fn send(&mut self, from: usize, operation: Operation) {
        let index = self.sent.len();
        let bit = 1_u128 << index;
        if let Operation::Insert { first, text, .. } = &operation {
            let (site, clock, offset) = key(&first.to_vec());
            for step in 0..text.chars().count() as i32 {
                self.born.insert((site, clock, offset + step), index);
            }
        }
        let needs = match self.plan.delivery {
            Delivery::Causal => self.sites[from].delivered,
            Delivery::Minimal => self.least(&operation),
        };
        let renamed = |sent: &Sent| matches!(sent.operation, Operation::Rename { .. });
        if matches!(operation, Operation::Rename { .. }) {
            let siblings = self.sent.iter().filter(|sent| renamed(sent));
            let siblings = siblings.filter(|sent| sent.operation.epoch() == operation.epoch());
            self.seen.sibling_renames += u64::from(siblings.count() > 0);
        }
        self.sites[from].delivered |= bit;
        self.seen.operations += 1;
        let written = self.sites[from].writer.write(std::slice::from_ref(&operation));
        let bytes = written.expect("it is short");
        let short = self.sites[from].real.as_ref().and_then(|real| real.shortened(&operation));
        self.sent.push(Sent { operation, bytes, short, from, needs });
    }

    /// What delivery owes `operation` at least.
    fn least(&self, operation: &Operation) -> u128 {
        let introduced = self.sent.iter().position(|sent| match &sent.operation {
            Operation::Rename { dot, .. } => EpochId::Renamed(*dot) == operation.epoch(),
            _ => false,
        });
        let mut needs = introduced.map_or(0, |at| 1_u128 << at | self.sent[at].needs);
        if let Operation::Remove { intervals, .. } = operation {
            for id in intervals.iter().flat_map(spelled) {
                // A renamed element is the base of its rename: its own insert is found by its root.
                let root = self.roots.get(&key(&id)).map_or(key(&id), |root| key(root));
                if let Some(at) = self.born.get(&root) {
                    needs |= 1 << at | self.sent[*at].needs;
                }
            }
        }
        needs
    }

    /// Delivers to site `at` something that may be delivered. Returns whether there was anything.
    fn deliver(&mut self, at: usize) -> Result<bool, String> {
        let delivered = self.sites[at].delivered;
        let ready = |index: &usize| {
            let new = delivered & (1 << index) == 0;
            new && self.sent[*index].needs & !delivered == 0
        };
        let ready: Vec<usize> = (0..self.sent.len()).filter(ready).collect();
        if ready.is_empty() {
            return Ok(false);
        }
        let index = ready[self.rng.below(ready.len() as u64) as usize];
        let twice = self.rng.chance(10);
        self.read(at, index)?;
        self.carry_out(at, index, 1 + u8::from(twice))?;
        let Sent { operation, from, .. } = &self.sent[index];
        let site = &mut self.sites[at];
        site.delivered |= 1 << index;
        site.announced[*from] = match operation {
            Operation::Rename { dot, .. } => EpochId::Renamed(*dot),
            other => other.epoch(),
        };
        self.check(at)?;
        Ok(true)
    }

    /// Reads what was sent as operation `index` at site `at`: it is the operation.
    fn read(&mut self, at: usize, index: usize) -> Result<(), String> {
        let Sent { operation, bytes, short, from, .. } = &self.sent[index];
        let site = &mut self.sites[at];
        if self.plan.delivery == Delivery::Causal {
            let read = site.readers[*from].read(bytes).map_err(|why| why.to_string())?;
            same("what was read", &read, &vec![operation.clone()])?;
        }
        if let (Some(real), Some(short)) = (&site.real, short) {
            match real.lengthened(short) {
                Ok(found) => {
                    same("a rename from its few bytes", &found, operation)?;
                    self.seen.lengthened += 1;
                }
                Err(Unreadable::Missing(_)) => self.seen.asked += 1,
                Err(why) => return Err(format!("a rename in few bytes: {why}")),
            }
        }
        Ok(())
    }

    /// Carries operation `index` out at site `at`, and at the real one as often as it comes there.
    fn carry_out(&mut self, at: usize, index: usize, times: u8) -> Result<(), String> {
        let operation = &self.sent[index].operation;
        let site = &mut self.sites[at];
        site.reference.apply_at(operation, self.plan.options.moves == Moves::Eager);
        let Some(real) = &mut site.real else { return Ok(()) };
        for _ in 0..times {
            let needed = real.needed(operation);
            let came = loop {
                // An editor asks for every other operation, and is told of the rest at once.
                let asks = (index + at).is_multiple_of(2);
                let applied = if asks {
                    real.apply_with(operation, &mut |change| {
                        self.seen.changes += 1;
                        take_over(&mut site.shown, change);
                    })
                } else {
                    real.apply(operation)
                };
                if !asks {
                    site.shown = real.text();
                }
                match applied {
                    Err(Refused::Offloaded(epoch)) if needed.contains(&epoch) => {
                        let mut bytes = site.store.remove(&epoch).ok_or("nothing in store")?;
                        bytes[0] ^= 1;
                        let rotten = real.load(epoch, &bytes);
                        same("whether rotten bytes are refused", &rotten.is_err(), &true)?;
                        bytes[0] ^= 1;
                        real.load(epoch, &bytes).map_err(|why| why.to_string())?;
                        self.seen.loaded += 1;
                    }
                    came => break came.map_err(|why| format!("operation {index}: {why}"))?,
                }
            };
            same("what becomes of it", &came, &Integrated::Done)?;
        }
        if self.plan.options.moves != Moves::Eager {
            site.reference.move_to(real.epoch());
        }
        Ok(())
    }

    fn check(&mut self, at: usize) -> Result<(), String> {
        self.seen.steps += 1;
        let site = &self.sites[at];
        let reference = &site.reference;
        if let Some(real) = &site.real {
            real.check();
            same("epoch", &real.epoch(), &reference.current)?;
            same("text", &real.text(), &reference.text())?;
            same("the text as it was told", &site.shown, &reference.text())?;
            same("intervals", &real.intervals(), &reference.intervals())?;
        }
        let mut last: Option<(&Id, Id)> = None;
        for (id, _) in &reference.elements {
            let root = reference.epochs.mapped(id.clone(), reference.current, EpochId::Origin);
            // That the printed mapping is not reciprocal is known: what is asked of it is order.
            if self.plan.mapping == Mapping::Repaired {
                let back =
                    reference.epochs.mapped(root.clone(), EpochId::Origin, reference.current);
                same("backward and forward again", &back, id)?;
            }
            if let Some((before, before_root)) = &last {
                if *before >= id {
                    return Err(format!("site {at}: elements are not sorted: {before:?}, {id:?}"));
                }
                if *before_root >= root {
                    return Err(format!(
                        "site {at}: roots are not sorted: {before_root:?}, {root:?}"
                    ));
                }
            }
            self.seen.tuples_deep = self.seen.tuples_deep.max(id.len());
            self.seen.reserved += u64::from(id.iter().any(|tuple| tuple.is_reserved()));
            match self.roots.get(&key(&root)) {
                Some(_) if self.plan.mapping == Mapping::Printed => {}
                Some(known) => same("the identifier in the origin epoch", &root, known)?,
                None => {
                    self.roots.insert(key(&root), root.clone());
                }
            }
            // The least delivery asks for the insert of an element by any of its names.
            self.roots.entry(key(id)).or_insert_with(|| root.clone());
            last = Some((id, root));
        }
        let deep = reference.epochs.path(reference.current).len();
        self.seen.epochs_deep = self.seen.epochs_deep.max(deep);
        Ok(())
    }

    /// Lets site `at` forget the epochs that nobody can be in, by what each site announced.
    fn collect(&mut self, at: usize) -> Result<(), String> {
        let site = &mut self.sites[at];
        let Some(real) = &mut site.real else { return Ok(()) };
        site.announced[at] = real.epoch();
        let order = real.epochs_by_priority();
        let place = |epoch: &EpochId| order.iter().position(|other| other == epoch);
        let lowest = site.announced.iter().map(place).min().flatten();
        let Some(lowest) = lowest else { return Ok(()) };
        let collected = real.collect(&[order[lowest]]);
        self.seen.collected += collected.epochs as u64;
        site.reference.move_to(real.epoch());
        self.check(at)
    }

    /// Lets site `at` put aside what it can.
    fn offload(&mut self, at: usize) -> Result<(), String> {
        let site = &mut self.sites[at];
        let Some(real) = &mut site.real else { return Ok(()) };
        let before = real.held_by_former_states();
        for epoch in real.offloadable() {
            let bytes = real.offload(epoch).ok_or("it cannot be put aside after all")?;
            site.store.insert(epoch, bytes);
            self.seen.offloaded += 1;
        }
        same("what is to be put aside", &real.offloadable(), &vec![])?;
        let after = real.held_by_former_states();
        if after > before {
            return Err(format!("former states take {after} bytes, they took {before}"));
        }
        self.check(at)
    }

    /// Lets site `at` come back from its snapshot.
    fn restore(&mut self, at: usize) -> Result<(), String> {
        let Some(real) = &mut self.sites[at].real else { return Ok(()) };
        let bytes = real.snapshot();
        let restored = Sequence::restore(real.site(), self.plan.options.moves, &bytes);
        *real = restored.map_err(|why| format!("its own snapshot: {why}"))?;
        same("the snapshot of what was restored", &real.snapshot(), &bytes)?;
        self.seen.restored += 1;
        self.check(at)
    }

    fn converged(&mut self) -> Result<(), String> {
        for site in &mut self.sites {
            let leading = site.reference.epochs.leading();
            site.reference.move_to(leading);
            if let Some(real) = &mut site.real {
                real.move_to_leading();
                same("the leading epoch", &real.epoch(), &leading)?;
                same("intervals", &real.intervals(), &site.reference.intervals())?;
                same("what waits", &real.waiting(), &0)?;
            }
        }
        let [first, others @ ..] = &self.sites[..] else { return Ok(()) };
        for other in others {
            same("text at the end", &other.reference.text(), &first.reference.text())?;
            same("epoch at the end", &other.reference.current, &first.reference.current)?;
            let (found, expected) = (other.reference.intervals(), first.reference.intervals());
            same("intervals at the end", &found, &expected)?;
        }
        Ok(())
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: found {found:?}, expected {expected:?}"))
}
