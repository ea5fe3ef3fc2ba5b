//! Replicas of a sequence: hostile operations on one, and a fleet whose every step the fuzzer chooses.

use sequence::{
    Dot, EpochId, FormerState, Identifier, Integrated, Interval, Moves, Naming, Operation, Options,
    Priority, Reader, Sequence, Tuple, Writer,
};

use super::{
    Feed,
    sequences::{Known, apply, known, use_up},
};

/// Steps of one run: what takes long finds little.
const STEPS_MAX: usize = 64;

const TEXTS: [&str; 6] = ["a", "bc", "é", "語x", "𝒳", "a longer text, of which parts can go"];

/// Operations that look as if a replica had made them, and are wrong in some place.
pub(crate) fn operations(bytes: &[u8]) {
    let mut feed = Feed::new(bytes);
    let Known { mut replica, told } = known();
    if feed.byte() % 2 == 1 {
        replica =
            Sequence::new(1, Options { moves: Moves::AfterOperations(2), ..Options::default() })
                .expect("a site");
    }
    let mut given: Vec<Operation> = told;
    for _ in 0..STEPS_MAX {
        if feed.is_empty() {
            break;
        }
        match feed.byte() % 8 {
            0 => edit(&mut replica, &mut feed, &mut given),
            1 => {
                let operation = feed.pick(&given).clone();
                let _came = apply(&mut replica, &operation);
            }
            2 => {
                let epochs: Vec<_> = replica.known_epochs().collect();
                let least = *feed.pick(&epochs);
                let text = replica.text();
                replica.collect_announced([least]);
                assert_eq!(replica.text(), text, "what is forgotten shows");
                replica.check();
            }
            _ => {
                let operation = forged(&replica, &given, &mut feed);
                if let Some(operation) = operation {
                    let _came = apply(&mut replica, &operation);
                    given.push(operation);
                }
            }
        }
    }
    use_up(replica);
}

/// An edit of the replica's own.
fn edit(replica: &mut Sequence, feed: &mut Feed<'_>, given: &mut Vec<Operation>) {
    let (index, kind) = (feed.below(256) as u64 % (replica.len() + 1), feed.byte());
    let place = feed.number();
    let mut draw = |below: u64| place % below;
    let before: Vec<char> = replica.text().chars().collect();
    let at = index as usize;
    match kind % 4 {
        0 if replica.rename().map(|told| given.push(told)).is_ok() => {
            assert_eq!(replica.text(), before.iter().collect::<String>());
        }
        1 if index < replica.len() => {
            let to = replica.len().min(index + 1 + u64::from(kind / 64));
            given.push(replica.remove(index..to).expect("inside"));
            let mut expected = before;
            expected.drain(at..to as usize);
            assert_eq!(replica.text(), expected.iter().collect::<String>());
        }
        _ => {
            let text = TEXTS[usize::from(kind / 4) % TEXTS.len()];
            if let Ok(told) = replica.insert(index, text, &mut draw) {
                given.extend(told);
                let mut expected = before;
                expected.splice(at..at, text.chars());
                assert_eq!(replica.text(), expected.iter().collect::<String>());
            }
        }
    }
    replica.check();
}

/// An epoch: one that is known, or any.
fn epoch(replica: &Sequence, feed: &mut Feed<'_>) -> EpochId {
    let epochs: Vec<_> = replica.known_epochs().collect();
    match feed.byte() {
        known @ ..0xc0 => epochs[usize::from(known) % epochs.len()],
        0xc0..0xd0 => EpochId::Origin,
        _ => EpochId::Renamed(dot(feed)),
    }
}

fn dot(feed: &mut Feed<'_>) -> Dot {
    Dot { site: feed.number() as u32, clock: feed.number() as u32 }
}

fn tuple(feed: &mut Feed<'_>) -> Tuple {
    match feed.byte() {
        0 => Tuple::MIN,
        1 => Tuple::MAX,
        2 => Tuple::FILL,
        _ => {
            let position = feed.number() as i32;
            let Dot { site, clock } = dot(feed);
            Tuple { position, site, clock, offset: feed.number() as i32 }
        }
    }
}

/// An identifier: of something that is or was there, of the end of something, or changed in some place.
fn identifier(replica: &Sequence, given: &[Operation], feed: &mut Feed<'_>) -> Option<Identifier> {
    let mut tuples = match feed.byte() % 4 {
        0 => Vec::new(),
        1 => match feed.pick(given) {
            Operation::Insert { first, .. } => first.to_vec(),
            Operation::Remove { intervals, .. } => intervals.first()?.first.to_vec(),
            Operation::Rename { former, .. } => former.intervals().first()?.first.to_vec(),
        },
        _ => {
            let here = replica.intervals();
            let interval = here.get(feed.below(here.len().max(1)))?;
            let mut tuples = interval.first.to_vec();
            tuples.last_mut()?.offset += feed.below(8) as i32;
            tuples
        }
    };
    for _ in 0..feed.byte() % 3 {
        let at = feed.below(tuples.len() + 1);
        match feed.byte() % 4 {
            0 => tuples.insert(at, tuple(feed)),
            1 if at < tuples.len() => _ = tuples.remove(at),
            2 if at < tuples.len() => tuples[at].offset = feed.number() as i32,
            3 if at < tuples.len() => tuples[at].position = feed.number() as i32,
            _ => tuples.push(tuple(feed)),
        }
    }
    Identifier::new(tuples).ok()
}

fn intervals(replica: &Sequence, given: &[Operation], feed: &mut Feed<'_>) -> Vec<Interval> {
    let mut intervals = match feed.byte() % 2 {
        0 => replica.intervals(),
        _ => Vec::new(),
    };
    for _ in 0..feed.byte() % 4 {
        let Some(first) = identifier(replica, given, feed) else { continue };
        let end = first.offset().wrapping_add(feed.number() as i32);
        let at = intervals.partition_point(|interval| interval.first < first);
        intervals.insert(at, Interval { first, end });
    }
    if feed.byte().is_multiple_of(4) && !intervals.is_empty() {
        intervals.remove(feed.below(intervals.len()));
    }
    intervals
}

fn forged(replica: &Sequence, given: &[Operation], feed: &mut Feed<'_>) -> Option<Operation> {
    let epoch = epoch(replica, feed);
    Some(match feed.byte() % 3 {
        0 => {
            let first = identifier(replica, given, feed)?;
            Operation::Insert { epoch, first, text: (*feed.pick(&TEXTS)).into() }
        }
        1 => Operation::Remove { epoch, intervals: intervals(replica, given, feed).into() },
        _ => {
            let former = FormerState::new(&intervals(replica, given, feed)).ok()?;
            Operation::Rename { epoch, dot: dot(feed), former }
        }
    })
}

/// Characters that a fleet types, each once, so that one can follow them.
const CHARS_MAX: usize = 128;
/// Bits for what was sent.
const SENT_MAX: usize = 128;
const SITES: usize = 3;

struct Site {
    replica: Sequence,
    /// What it delivered, a bit an operation.
    delivered: u128,
    writer: Writer,
    /// One for each sender.
    readers: [Reader; SITES],
    announced: [EpochId; SITES],
}

struct Sent {
    operation: Operation,
    bytes: Vec<u8>,
    short: Option<Vec<u8>>,
    from: usize,
    needs: u128,
}

/// A fleet: sites edit, rename, deliver in some causal order, forget and come back as the fuzzer likes.
struct Fleet {
    options: Options,
    sites: Vec<Site>,
    sent: Vec<Sent>,
    typed: usize,
    /// By character: those that stood before it in some document.
    before: Vec<u128>,
}

fn character(number: usize) -> char {
    char::from_u32(0x100 + number as u32).expect("a letter")
}

impl Fleet {
    fn new(feed: &mut Feed<'_>) -> Self {
        let options = Options {
            naming: *feed.pick(&[Naming::Blocks, Naming::Blocks, Naming::Blocks, Naming::Elements]),
            priority: *feed.pick(&[Priority::Lexicographic, Priority::Depth, Priority::Covered]),
            moves: *feed.pick(&[Moves::Eager, Moves::AfterOperations(3), Moves::AfterStable]),
            ..Options::default()
        };
        let site = |at| Site {
            replica: Sequence::new(1 + at as u32, options).expect("a site"),
            delivered: 0,
            writer: Writer::default(),
            readers: Default::default(),
            announced: [EpochId::Origin; SITES],
        };
        let sites = (0..SITES).map(site).collect();
        Self { options, sites, sent: Vec::new(), typed: 0, before: vec![0; CHARS_MAX] }
    }

    fn send(&mut self, from: usize, told: impl IntoIterator<Item = Operation>) {
        for operation in told {
            let site = &mut self.sites[from];
            let bytes = site.writer.write(std::slice::from_ref(&operation)).expect("it is short");
            let short = site.replica.shortened(&operation);
            let needs = site.delivered;
            site.delivered |= 1 << self.sent.len();
            self.sent.push(Sent { operation, bytes, short, from, needs });
        }
    }

    fn edit(&mut self, at: usize, feed: &mut Feed<'_>) {
        let (kind, place, index) = (feed.byte(), feed.number(), feed.byte());
        // An insert may become several operations: the bits have room for all.
        if self.sent.len() + 8 > SENT_MAX {
            return;
        }
        let replica = &mut self.sites[at].replica;
        let length = replica.len();
        let mut expected: Vec<char> = replica.text().chars().collect();
        let mut draw = |below: u64| place % below;
        let told: Vec<Operation> = match kind % 8 {
            0 if length > 0 => vec![replica.rename().expect("there is something")],
            1 | 2 if length > 0 => {
                let from = u64::from(index) % length;
                let to = length.min(from + 1 + u64::from(kind / 64));
                expected.drain(from as usize..to as usize);
                vec![replica.remove(from..to).expect("inside")]
            }
            _ => {
                let count = (1 + usize::from(kind / 64)).min(CHARS_MAX - self.typed);
                let text: String = (0..count).map(|more| character(self.typed + more)).collect();
                if text.is_empty() {
                    return;
                }
                self.typed += count;
                let index = u64::from(index) % (length + 1);
                expected.splice(index as usize..index as usize, text.chars());
                replica.insert(index, &text, &mut draw).expect("inside").into()
            }
        };
        assert_eq!(replica.text(), expected.iter().collect::<String>(), "a local edit");
        self.send(at, told);
    }

    /// Delivers to `at` the `pick`th of what may be delivered there. Returns whether there was any.
    fn deliver(&mut self, at: usize, pick: usize) -> bool {
        let delivered = self.sites[at].delivered;
        let is_ready = |index: &usize| {
            delivered & 1 << index == 0 && self.sent[*index].needs & !delivered == 0
        };
        let ready: Vec<usize> = (0..self.sent.len()).filter(is_ready).collect();
        if ready.is_empty() {
            return false;
        }
        let index = ready[pick % ready.len()];
        let Sent { operation, bytes, short, from, .. } = &self.sent[index];
        let site = &mut self.sites[at];
        if let Some(short) = short
            && let Ok(found) = site.replica.lengthened(short)
        {
            assert_eq!(found, *operation, "a rename in few bytes");
        }
        // Some twice: operation by operation it comes to the same.
        let copy = (index.is_multiple_of(8)).then(|| site.replica.clone());
        let applied = site.replica.apply_message(&mut site.readers[*from], bytes);
        let applied = applied.expect("what a writer writes");
        assert_eq!((applied.done, applied.refused), (1, vec![]), "{operation:?} is carried out");
        if let Some(mut copy) = copy {
            assert_eq!(copy.apply(operation), Ok(Integrated::Done));
            assert_eq!(copy.snapshot(), site.replica.snapshot(), "{operation:?} from its bytes");
        }
        site.delivered |= 1 << index;
        site.announced[*from] = match operation {
            Operation::Rename { dot, .. } => EpochId::Renamed(*dot),
            other => other.epoch(),
        };
        true
    }

    /// Forgets at `at` what no site can be in any more.
    fn collect(&mut self, at: usize) {
        let site = &mut self.sites[at];
        site.announced[at] = site.replica.epoch();
        let order = site.replica.epochs_by_priority();
        let place = |epoch: &EpochId| order.iter().position(|other| other == epoch);
        let Some(lowest) = site.announced.iter().map(place).min().flatten() else { return };
        site.replica.collect(&[order[lowest]]);
    }

    fn restore(&mut self, at: usize) {
        let replica = &mut self.sites[at].replica;
        let bytes = replica.snapshot();
        let restored = Sequence::restore(replica.site(), self.options.moves, &bytes);
        *replica = restored.expect("its own snapshot");
        assert_eq!(replica.snapshot(), bytes);
    }

    /// One order of all characters fits every document.
    fn check(&mut self, at: usize) {
        let replica = &self.sites[at].replica;
        replica.check();
        let mut seen = 0_u128;
        for letter in replica.text().chars() {
            let number = letter as usize - 0x100;
            assert_eq!(seen & 1 << number, 0, "{letter} is there twice");
            self.before[number] |= seen;
            let mut after = seen;
            while after != 0 {
                let other = after.trailing_zeros() as usize;
                assert_eq!(self.before[other] & 1 << number, 0, "{letter} was before another");
                after &= after - 1;
            }
            seen |= 1 << number;
        }
    }
}

pub(crate) fn fleet(bytes: &[u8]) {
    let mut feed = Feed::new(bytes);
    let mut fleet = Fleet::new(&mut feed);
    for _ in 0..STEPS_MAX {
        if feed.is_empty() {
            break;
        }
        let head = feed.byte();
        let at = usize::from(head) % SITES;
        match head / 3 % 8 {
            0..4 => fleet.edit(at, &mut feed),
            4..6 => _ = fleet.deliver(at, feed.byte().into()),
            6 => fleet.collect(at),
            _ => fleet.restore(at),
        }
        fleet.check(at);
    }
    for at in 0..SITES {
        while fleet.deliver(at, 0) {
            fleet.check(at);
        }
        fleet.sites[at].replica.move_to_leading();
        fleet.check(at);
    }
    let [first, others @ ..] = &fleet.sites[..] else { return };
    for other in others {
        assert_eq!(other.replica.text(), first.replica.text(), "the text at the end");
        assert_eq!(other.replica.epoch(), first.replica.epoch(), "the epoch at the end");
        assert_eq!(other.replica.intervals(), first.replica.intervals(), "the runs at the end");
        assert_eq!(other.replica.waiting(), 0);
    }
}
