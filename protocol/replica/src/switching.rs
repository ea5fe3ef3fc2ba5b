//! The switch, journalled: stage, wait for one's turn, prepare, commit, drain.
//!
//! The intent is one record, the switch is one other: a snapshot of everything, with the new code in
//! it. A crash before that record leaves the old node, a crash after it the new one. A release that
//! fails on the way is quarantined and never tried again here; a higher one is.
//! Source: "Dynamic Software Updates using CRDTs", sections 3.1 and 3.2.

use std::sync::Arc;

use contract::{Encode, Span};
use upgrade::{
    bugs::Bug,
    gate::Gate,
    release::Envelope,
    switch::{Prepared, Quarantine, stage},
};
use xxhash_rust::xxh3::xxh3_128;

use crate::{
    Bytes, Notice, Replica, Settings, Timer,
    journal::Change,
    notice::Left,
    state::{Installed, host},
};

/// The wait before a switch is begun a third time; doubled for each time more.
const RETRY: Span = Span::from_millis(100);

/// Doublings of that wait.
const RETRY_SHIFT_MAX: u32 = 8;

impl Replica {
    /// Brings the upgrade forward as far as it goes now.
    pub(crate) fn advance(&mut self) {
        if !std::mem::take(&mut self.progress) {
            return;
        }
        self.begin();
        self.assemble();
        self.commit();
        let Some((known, code)) = self.switchable() else { return };
        if self.staged.as_ref().is_none_or(|staged| staged.envelope().id != known.id)
            && !self.stage(&known, &code)
        {
            return;
        }
        let at = self.state.scheduled.unwrap_or(self.now);
        if at <= self.now {
            self.switch(&known, &code);
        } else {
            self.arm(Timer::Switch, at);
        }
    }

    /// The known release and its code, where it is all here and does not run yet.
    fn switchable(&self) -> Option<(Arc<Envelope>, Bytes)> {
        let known = self.state.known()?;
        let runs = self.state.running().is_some_and(|running| running.envelope.id == known.id);
        if runs && !self.again || self.state.quarantined.is_some() {
            return None;
        }
        let code = self.state.code.whole()?;
        Some((Arc::clone(known), Arc::clone(code)))
    }

    /// Tries the switch on a copy and settles when it comes. Says whether it may come.
    fn stage(&mut self, known: &Arc<Envelope>, code: &Bytes) -> bool {
        if self.state.attempts >= self.settings.switch_attempts_max {
            let before = self.image();
            let attempts = self.state.attempts;
            self.quarantine(Quarantine::Interrupted { attempts }, before);
            return false;
        }
        let before = self.image();
        self.open_gate_early(known, code);
        let running = self.state.running();
        match stage(&host(&self.settings), code, known, running, self.now) {
            Ok(staged) => {
                self.schedule(known);
                self.staged = Some(staged);
                true
            }
            Err(reason) => {
                self.quarantine(reason, before);
                false
            }
        }
    }

    /// Settles when the staged release switches, unless that was settled before a crash.
    fn schedule(&mut self, known: &Envelope) {
        let first = self.state.installed.is_none();
        let attempts = self.state.attempts;
        let at = match self.state.scheduled {
            Some(at) if attempts < 2 => at,
            Some(at) => {
                let wait = RETRY.saturating_mul(1 << (attempts - 2).min(RETRY_SHIFT_MAX));
                at.max(self.now + wait)
            }
            None if first => self.now,
            None => {
                let (node, nodes) = (self.settings.node, &self.state.nodes);
                self.now + known.rollout.delay(&known.id, node, nodes)
            }
        };
        self.begin();
        if self.state.scheduled != Some(at) {
            self.change(Change::Schedule(at));
        }
        let (release, after) = (known.id.clone(), at.since(self.now));
        self.notify(Notice::Staged { release, after });
        self.commit();
    }

    /// Switches: two records, and everything else behind the second.
    fn switch(&mut self, known: &Arc<Envelope>, code: &Bytes) {
        let image = self.image();
        self.begin();
        self.change(Change::Prepare);
        self.notify(Notice::Prepared { release: known.id.clone(), image });
        self.commit();
        let staged = self.staged.take().expect("a release is staged before it switches");
        match staged.prepare(self.state.running(), self.now) {
            Ok(prepared) => self.install(prepared, Arc::clone(code)),
            Err(reason) => self.quarantine(reason, image),
        }
    }

    /// A planted bug: the gate is the new release's before anything else is.
    fn open_gate_early(&mut self, known: &Envelope, code: &[u8]) {
        let Settings { bugs, gate, .. } = self.settings;
        if bugs.has(Bug::GateSwitchedBeforeInit)
            && let Some(installed) = &mut self.state.installed
            && let Ok(program) = self.settings.runtime.load(code)
            && let Ok(gate) = Gate::new(known, program.manifest(), gate, bugs)
        {
            installed.running.gate = gate;
        }
    }

    /// Commits: one record holds everything there is from now on.
    fn install(&mut self, prepared: Prepared, code: Bytes) {
        let release = Arc::clone(prepared.envelope());
        let migration = prepared.migration.clone();
        let (state_before, state_after) =
            (prepared.state_before.clone(), Arc::clone(&prepared.state_after));
        let signed = self.state.signed.clone().expect("a known release has its signed bytes");
        let running = prepared.commit();
        let parked = self.rebuild_layer();
        let composition = running.composition();
        let old = self.state.installed.replace(Installed { running, signed, code });
        let ended = self.state.instance;
        self.state.instance += 1;
        self.state.scheduled = None;
        self.state.attempts = 0;
        self.again = false;
        self.snapshot();
        let from = old.as_ref().map(|old| old.running.envelope.id.clone());
        let id = release.id.clone();
        self.notify(Notice::Committed {
            from,
            release,
            migration: Box::new(migration),
            state_before,
            state_after,
            composition: Box::new(composition),
        });
        if let Some(old) = old {
            if self.settings.bugs.has(Bug::TwoInstances) {
                self.ghost = Some((ended, old.running));
            } else {
                self.notify(Notice::InstanceEnded { instance: ended });
            }
        }
        self.notify(Notice::InstanceBegan { instance: self.state.instance, release: id });
        self.arm_tick();
        self.arm_operations();
        self.receive_again(parked);
        self.begin();
        let delivered = self.drain();
        let left = self.state.hold.len() as u32;
        self.notify(Notice::Drained { delivered, left });
    }

    /// Gives the known release up on this node, for good.
    fn quarantine(&mut self, reason: Quarantine, image_before: u128) {
        let release = self.state.known().expect("a known release fails").id.clone();
        self.staged = None;
        self.begin();
        self.change(Change::Quarantine(reason.clone()));
        let (image, reason) = (self.image(), Box::new(reason));
        let state = self.exported().map(|state| xxh3_128(&state));
        let left = Box::new(Left { state, held: self.held_ids() });
        self.notify(Notice::Quarantined { release, reason, image_before, image, left });
        self.commit();
    }

    /// A hash over everything that a failed switch must leave as it was: the app's state and which
    /// release each part of it is of, held messages, streams, and the tick.
    pub fn image(&self) -> u128 {
        let mut bytes = Vec::new();
        if let Some(running) = self.state.running() {
            running.composition().encode(&mut bytes);
            bytes.extend_from_slice(&running.instance.export());
        }
        self.state.encode_links(&mut bytes);
        self.state.hold.encode(&mut bytes);
        if let Some(layer) = &self.state.layer {
            layer.export(&mut bytes);
        }
        bytes.extend_from_slice(&self.tick_at.as_nanos().to_le_bytes());
        xxh3_128(&bytes)
    }
}
