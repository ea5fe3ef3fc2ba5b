//! How an incarnation begins: from surviving records, or from nothing.

use causal::Origin;
use upgrade::{bugs::Bug, lattice::AppCrdt};

use crate::{
    MessageId, Notice, Replica,
    code::Code,
    journal::{Change, SNAPSHOT},
    message::CLOCK_MAX,
    notice::Remembered,
    random::Draws,
    state::{Ground, Layer, State},
};

impl Replica {
    /// Rebuilds everything from `records` and begins to act.
    pub(crate) fn start(&mut self, records: &[Vec<u8>], entropy: u64) {
        self.draws = Draws::new(entropy);
        let mut ground = Ground { settings: &self.settings, verifier: &mut self.verifier };
        let (state, used) = State::recover(records, &mut ground);
        self.state = state;
        self.state.links.recovered();
        if self.settings.bugs.has(Bug::LifeReused) && used == 0 {
            let nodes = self.state.nodes.clone();
            self.change(Change::Found(nodes));
        }
        self.forget_by_bug();
        let snapshot = records.first().filter(|record| record.first() == Some(&SNAPSHOT));
        self.snapshot_bytes = snapshot.map_or(0, |snapshot| snapshot.len() as u64);
        let written: u64 = records[..used].iter().map(|record| record.len() as u64).sum();
        self.log_bytes = written - self.snapshot_bytes.min(written);
        let before = self.state.incarnation;
        let incarnation = (before + 1).max(self.now.as_nanos().min(CLOCK_MAX));
        assert!(incarnation > before, "an incarnation is above all before it");
        self.change(Change::Begin(incarnation));
        let nameless = if used < records.len() { self.lose_name() } else { None };
        self.commit();
        if used < records.len() {
            // What follows a rotten record must not be read again: it is in the snapshot or lost.
            self.snapshot();
        }
        self.tell_start(before > 0);
        self.begin();
        if let Some(origin) = nameless {
            let from = self.settings.node;
            self.notify(Notice::Resynced { origin, from });
        }
        self.resume();
        if before == 0
            && let Some(initial) = self.settings.initial.clone()
        {
            self.publish(&initial.signed, &initial.code);
        }
    }

    /// Records that were durable are lost, and operations with them that others may have: a node that went
    /// on under its name would give names a second time. It has to join again. Gives the name.
    fn lose_name(&mut self) -> Option<Origin> {
        let origin = self.state.layer.as_ref().and_then(Layer::issues_as)?;
        self.change(Change::Leave);
        self.operating.life = origin.life;
        Some(origin)
    }

    fn tell_start(&mut self, recovered: bool) {
        let running = self.state.running();
        let node = self.settings.node;
        let unacknowledged = self.state.links.iter().filter_map(|link| {
            let streams = link.streams.as_deref()?;
            Some(streams.out.ids(node, link.peer))
        });
        let received = self.state.links.iter().filter_map(|link| {
            let into = &link.streams.as_deref()?.into;
            let (from, incarnation, sequence) = (link.peer, into.epoch, into.cursor);
            (sequence > 0).then_some(MessageId { from, incarnation, to: node, sequence })
        });
        let notice = Notice::Started {
            incarnation: self.state.incarnation,
            known: self.state.known().map(|known| known.id.clone()),
            run: running.map(|running| running.envelope.id.clone()),
            composition: running.map(|running| Box::new(running.composition())),
            state: self.exported(),
            messages: Box::new(Remembered {
                unacknowledged: unacknowledged.flatten().collect(),
                held: self.held_ids(),
                received: received.collect(),
            }),
            recovered,
        };
        let release = running.map(|running| running.envelope.id.clone());
        self.notify(notice);
        if let Some(release) = release {
            self.notify(Notice::InstanceBegan { instance: self.state.instance, release });
        }
    }

    /// Takes up what the crash interrupted.
    fn resume(&mut self) {
        self.progress = true;
        self.resumed();
        if self.state.installed.is_some() {
            self.arm_tick();
            self.arm_operations();
            self.watch_silent();
            let delivered = self.drain();
            if delivered > 0 {
                let left = self.state.hold.len() as u32;
                self.notify(Notice::Drained { delivered, left });
            }
            self.begin();
        }
        self.watch_hold();
        self.arm_gossip();
        for place in 0..self.state.links.len() {
            if self.state.links.at(place).unacknowledged() > 0 {
                self.touch(place);
            }
        }
    }

    /// A planted bug: only what runs is remembered.
    fn forget_by_bug(&mut self) {
        if self.settings.bugs.has(Bug::KnownFallsOnRecovery)
            && let Some(installed) = &self.state.installed
        {
            let envelope = installed.running.envelope.clone();
            self.state.crdt = AppCrdt::recover(Some(envelope), self.settings.bugs);
            self.state.mark = 0;
            self.state.signed = Some(installed.signed.clone());
            self.state.code = Code::Whole(installed.code.clone());
            self.state.scheduled = None;
        }
    }
}
