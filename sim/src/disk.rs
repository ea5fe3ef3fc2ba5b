//! A node's disk: records in order, made durable one at a time, and what a crash does to them.
//!
//! Every record carries a checksum, as a real log's does: recovery reads up to the first record that
//! fails it. A torn one is never seen by a process, for it never was durable. One that was durable and is
//! rotten is handed over empty, as the last: so a process knows that it lost what it may have relied on.

use crate::{
    network::Latency,
    sample::{Odds, within},
};
use contract::Record;

/// What disks are like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long until a record is durable. Nothing: at once, without a barrier one could crash in.
    pub latency: Latency,
}

/// What a crash does to a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// What becomes of the record that was on its way.
    pub in_flight: InFlight,
    /// How many durable records at the end are lost: the disk lied about them.
    pub lost_tail: u32,
    /// A durable record turned rotten, counted from the end: it and all after it are lost, and an empty
    /// record stands in their place.
    pub rotten: Option<u32>,
    /// Everything is lost.
    pub amnesia: bool,
}

/// What becomes of a record that is not yet durable when its node crashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InFlight {
    /// It never reached the disk.
    #[default]
    Lost,
    /// A part of it did, and fails its checksum.
    Torn,
    /// It did, but no one was told.
    Kept,
}

/// How likely crashes of a random profile do what damage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Risk {
    /// Crashes that tear the record in flight.
    pub torn_ppm: u32,
    /// Crashes that keep it without having said so; the rest lose it.
    pub kept_ppm: u32,
    /// Crashes that lose durable records at the end.
    pub lost_tail_ppm: u32,
    /// How many such a crash loses at most; uniform from 1 on.
    pub lost_tail_max: u32,
    /// Crashes after which one of the last `lost_tail_max` records is rotten.
    pub rotten_ppm: u32,
    /// Crashes that take the whole disk.
    pub amnesia_ppm: u32,
}

/// What a crash did to a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Whether a record was on its way, and was lost.
    pub in_flight: bool,
    /// Whether it was torn.
    pub torn: bool,
    /// Durable records that went with the lost tail.
    pub tail: usize,
    /// Durable records that went with a rotten one, itself included.
    pub rotten: usize,
    /// Durable records that went with everything.
    pub amnesia: usize,
}

/// A disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    records: Vec<Vec<u8>>,
    /// What the last replacement replaced: what a lying disk falls back to.
    replaced: Vec<Vec<u8>>,
    /// Whether the first of `records` is a replacement that can still be undone.
    undoable: bool,
    in_flight: Option<Record>,
    /// How many records ever went to this disk.
    pub(crate) writes: u64,
}

impl Default for Settings {
    /// Durable at once.
    fn default() -> Self {
        Self { latency: Latency::Constant(contract::Span::ZERO) }
    }
}

impl Risk {
    /// The damage of one crash.
    pub(crate) fn draw(self, words: [u32; 4]) -> Damage {
        let torn = Odds::ppm(self.torn_ppm);
        let torn_or_kept = Odds::ppm(self.torn_ppm.saturating_add(self.kept_ppm));
        let in_flight = if torn.hit(words[0]) {
            InFlight::Torn
        } else if torn_or_kept.hit(words[0]) {
            InFlight::Kept
        } else {
            InFlight::Lost
        };
        let reach = u64::from(self.lost_tail_max.max(1));
        let (lost, rotten) = (Odds::ppm(self.lost_tail_ppm), Odds::ppm(self.rotten_ppm));
        Damage {
            in_flight,
            lost_tail: if lost.hit(words[1]) {
                within(lost.again(words[1]), 1, reach) as u32
            } else {
                0
            },
            rotten: rotten
                .hit(words[2])
                .then(|| within(rotten.again(words[2]), 0, reach - 1) as u32),
            amnesia: Odds::ppm(self.amnesia_ppm).hit(words[3]),
        }
    }
}

impl Disk {
    /// What is durable, oldest first.
    pub(crate) fn records(&self) -> &[Vec<u8>] {
        &self.records
    }

    /// What is durable before anything was written.
    pub(crate) fn provide(&mut self, records: Vec<Vec<u8>>) {
        assert!(self.records.is_empty() && self.in_flight.is_none(), "the disk is new");
        self.records = records;
    }

    /// Whether a record is on its way.
    pub(crate) fn is_busy(&self) -> bool {
        self.in_flight.is_some()
    }

    /// A record sets out for the disk.
    pub(crate) fn begin(&mut self, record: Record) {
        assert!(self.in_flight.is_none(), "a barrier lets one record out at a time");
        self.in_flight = Some(record);
    }

    /// The record in flight is durable: its length, and whether it replaced.
    pub(crate) fn settle(&mut self) -> (usize, bool) {
        match self.in_flight.take().expect("a record was in flight") {
            Record::Append(bytes) => {
                let length = bytes.len();
                self.records.push(bytes);
                (length, false)
            }
            Record::Replace(bytes) => {
                let length = bytes.len();
                self.replaced = std::mem::replace(&mut self.records, vec![bytes]);
                self.undoable = true;
                (length, true)
            }
        }
    }

    /// A crash happens.
    pub(crate) fn crash(&mut self, damage: Damage) -> Lost {
        let mut lost = Lost::default();
        if self.in_flight.is_some() {
            match damage.in_flight {
                InFlight::Lost => lost.in_flight = true,
                InFlight::Torn => (lost.in_flight, lost.torn) = (true, true),
                InFlight::Kept => _ = self.settle(),
            }
            self.in_flight = None;
        }
        while lost.tail < damage.lost_tail as usize && self.lose_last() {
            lost.tail += 1;
        }
        if let Some(from_end) = damage.rotten
            && let Some(kept) = self.records.len().checked_sub(from_end as usize + 1)
        {
            lost.rotten = self.records.len() - kept;
            self.records.truncate(kept);
            self.records.push(Vec::new());
        }
        if damage.amnesia {
            lost.amnesia = self.records.len();
            self.records.clear();
            self.replaced.clear();
            self.undoable = false;
        }
        lost
    }

    /// Undoes the last write: a replacement gives back what it replaced, once.
    fn lose_last(&mut self) -> bool {
        let lost = self.records.pop().is_some();
        if self.records.is_empty() && self.undoable {
            self.records = std::mem::take(&mut self.replaced);
            self.undoable = false;
        }
        lost
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let sum = |records: &Vec<Vec<u8>>| {
            let bytes: usize = records.iter().map(Vec::capacity).sum();
            bytes + records.capacity() * size_of::<Vec<u8>>()
        };
        sum(&self.records) + sum(&self.replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(writes: &[(char, &str)]) -> Disk {
        let mut disk = Disk::default();
        for (kind, text) in writes {
            let bytes = text.as_bytes().to_vec();
            disk.begin(if *kind == '+' { Record::Append(bytes) } else { Record::Replace(bytes) });
            disk.settle();
        }
        disk
    }

    fn after(mut disk: Disk, damage: Damage) -> (Vec<String>, Lost) {
        let lost = disk.crash(damage);
        let read = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        (disk.records().iter().map(read).collect(), lost)
    }

    #[test]
    fn a_record_in_flight_is_lost_torn_or_kept() {
        for (fate, left) in [(InFlight::Lost, 1), (InFlight::Torn, 1), (InFlight::Kept, 2)] {
            let mut disk = disk(&[('+', "a")]);
            disk.begin(Record::Append(b"b".to_vec()));
            let (records, lost) = after(disk, Damage { in_flight: fate, ..Damage::default() });
            assert_eq!(records.len(), left, "{fate:?}");
            assert_eq!((lost.in_flight, lost.torn), (left == 1, fate == InFlight::Torn));
        }
    }

    #[test]
    fn a_replacement_in_flight_leaves_the_old_or_the_new_alone() {
        for (fate, left) in [(InFlight::Torn, vec!["a", "b"]), (InFlight::Kept, vec!["c"])] {
            let mut disk = disk(&[('+', "a"), ('+', "b")]);
            disk.begin(Record::Replace(b"c".to_vec()));
            assert_eq!(after(disk, Damage { in_flight: fate, ..Damage::default() }).0, left);
        }
    }

    #[test]
    fn a_lying_disk_loses_the_last_records_and_undoes_a_replacement() {
        let writes = [('+', "a"), ('+', "b"), ('=', "c"), ('+', "d")];
        let lose = |lost_tail| after(disk(&writes), Damage { lost_tail, ..Damage::default() });
        assert_eq!(lose(1).0, ["c"]);
        assert_eq!(lose(2).0, ["a", "b"]);
        assert_eq!(lose(3).0, ["a"]);
        let (records, lost) = lose(9);
        assert_eq!((records.len(), lost.tail), (0, 4));
    }

    #[test]
    fn a_rotten_record_takes_all_after_it_and_leaves_an_empty_one() {
        let writes = [('+', "a"), ('+', "b"), ('+', "c")];
        let rot = |from_end| {
            let damage = Damage { rotten: Some(from_end), ..Damage::default() };
            let (records, lost) = after(disk(&writes), damage);
            (records.join(" "), lost.rotten)
        };
        let left = ["a b ", "a ", "", "a b c"].map(str::to_owned);
        assert_eq!([0, 1, 2, 3].map(|from_end| rot(from_end).0), left);
        assert_eq!([0, 1, 2, 3].map(|from_end| rot(from_end).1), [1, 2, 3, 0]);
    }

    #[test]
    fn amnesia_takes_all() {
        let damage = Damage { amnesia: true, ..Damage::default() };
        assert_eq!(
            after(disk(&[('+', "a"), ('=', "b")]), damage),
            (vec![], Lost { amnesia: 1, ..Lost::default() })
        );
    }
}
