//! Fetching code: by hash, in chunks, from one peer at a time, through whatever crashes.
//!
//! Chunks are durable as they come. As many are asked for as come back: the window grows with what
//! arrives and halves with what does not, so a narrow link is filled and not flooded. Only the whole
//! can be checked, so a code that is wrong is blamed on those it came from.
//!
//! Knows nothing of what the code is for.

use contract::{NodeId, Span, Time};
use upgrade::release::CodeHash;

use crate::{
    Notice, Replica, Timer,
    code::{Code, Parts, chunk_of},
    journal::Change,
    link::Trip,
    message::{Chunk, Content, REQUEST_CHUNKS_MAX, Request},
    notice::Dropped,
    random::Purpose,
};

/// Peers remembered as having the code; one is enough, some may crash.
const SOURCES_MAX: usize = 16;

/// Peers remembered as wanting the code, to be told when it is whole.
const WAITERS_MAX: usize = 16;

/// Chunks asked for at first, and at least: what any link takes at once.
const WINDOW_FIRST: u32 = 4;

/// Doublings of the wait for chunks from a silent peer.
const SILENCE_SHIFT_MAX: u32 = 4;

/// The longest wait for chunks. A link that loses in bursts is only got across by trying.
const WAIT_MAX: Span = Span::from_secs(2);

/// How long nobody is asked after a code was wrong and there is nobody else.
const WRONG_WAIT: Span = Span::from_secs(8);

/// What is known of the code's way here. Volatile: the chunks themselves are in the state.
#[derive(Debug, Default)]
pub(crate) struct Fetching {
    /// Who has the whole code.
    sources: Vec<NodeId>,
    /// Who is asked.
    source: Option<NodeId>,
    /// Whose chunks are here, as far as this incarnation knows.
    givers: Vec<NodeId>,
    /// Who gave what turned out wrong.
    blamed: Vec<NodeId>,
    /// Who asked for what was not here.
    waiters: Vec<NodeId>,
    asked: Vec<Asked>,
    window: u32,
    /// Chunks that came since the window last changed.
    credit: u32,
    trip: Trip,
    /// Whether a chunk came since the timer last rang.
    heard: bool,
    /// Times the timer rang since the last chunk.
    silence: u32,
    /// When the timer rings; 0: not armed.
    armed: Time,
}

/// A chunk on its way.
#[derive(Clone, Copy, Debug)]
struct Asked {
    index: u32,
    at: Time,
    again: bool,
}

impl Replica {
    /// Whether chunks of the known release are wanted, and how many there are.
    fn wanted_parts(&self) -> Option<(CodeHash, &Parts)> {
        match (self.state.known(), &self.state.code) {
            (Some(known), Code::Parts(parts)) => Some((known.id.code, parts)),
            _ => None,
        }
    }

    /// A peer says that it has the whole code of the known release.
    pub(crate) fn has_code(&mut self, peer: NodeId) {
        let fetching = &mut self.fetching;
        if !fetching.sources.contains(&peer) && fetching.sources.len() < SOURCES_MAX {
            fetching.sources.push(peer);
        }
    }

    /// A peer says that it has not.
    pub(crate) fn lacks_code(&mut self, peer: NodeId) {
        let fetching = &mut self.fetching;
        fetching.sources.retain(|source| *source != peer);
        if fetching.source == Some(peer) {
            fetching.source = None;
            fetching.asked.clear();
        }
    }

    /// Another release is wanted now: everything about the old one's way is void.
    pub(crate) fn stop_fetching(&mut self) {
        let (waiters, trip) = (std::mem::take(&mut self.fetching.waiters), self.fetching.trip);
        let armed = self.fetching.armed;
        self.fetching = Fetching { waiters, trip, armed, ..Fetching::default() };
    }

    /// Asks for as many chunks as the window allows, and sees that the timer rings.
    pub(crate) fn fetch(&mut self) {
        if self.wanted_parts().is_none() {
            return;
        }
        if self.fetching.source.is_none() {
            self.choose_source();
        }
        match self.fetching.source {
            Some(source) => self.ask(source),
            None if self.fetching.armed == Time::ZERO => self.ask_around(),
            None => {}
        }
        if self.fetching.armed == Time::ZERO {
            let wait = self.wait();
            self.fetching.armed = self.draws.later(self.now, wait);
            self.arm(Timer::Fetch, self.fetching.armed);
        }
    }

    fn wait(&self) -> Span {
        let fetching = &self.fetching;
        let wait = fetching.trip.timeout(self.settings.fetch.timeout);
        wait.saturating_mul(1 << fetching.silence.min(SILENCE_SHIFT_MAX)).min(WAIT_MAX)
    }

    /// Picks a peer among those that have the code, and none that gave a wrong one.
    fn choose_source(&mut self) {
        let fetching = &mut self.fetching;
        let honest = |source: &&NodeId| !fetching.blamed.contains(source);
        let candidates: Vec<_> = fetching.sources.iter().filter(honest).copied().collect();
        if candidates.is_empty() {
            return;
        }
        let source = candidates[self.draws.below(Purpose::Fetch, candidates.len())];
        fetching.source = Some(source);
        fetching.asked.clear();
        fetching.window = WINDOW_FIRST;
        (fetching.credit, fetching.silence, fetching.heard) = (0, 0, false);
        self.resumed();
    }

    /// Tells that a fetch goes on where another ended.
    pub(crate) fn resumed(&mut self) {
        let parts = self.wanted_parts().map(|(_, parts)| (parts.have(), parts.total()));
        if let (Some((have, total)), Some(known)) = (parts, self.state.known())
            && have > 0
        {
            let release = known.id.clone();
            self.notify(Notice::FetchResumed { release, have, total });
        }
    }

    /// Nobody is known to have the code: somebody may say so.
    fn ask_around(&mut self) {
        if let Some(peer) = self.any_peer(Purpose::Fetch) {
            self.digest(peer, true);
        }
    }

    /// Fills the window: requests for the lowest chunks that are missing and not on their way.
    fn ask(&mut self, source: NodeId) {
        let Some((code, parts)) = self.wanted_parts() else { return };
        let room = (self.fetching.window as usize).saturating_sub(self.fetching.asked.len());
        let mut wanted: Vec<u32> = Vec::new();
        let mut from = 0;
        while wanted.len() < room
            && let Some(index) = parts.missing_from(from)
        {
            if self.fetching.asked.iter().all(|asked| asked.index != index) {
                wanted.push(index);
            }
            from = index + 1;
        }
        let at = self.now;
        self.fetching.asked.extend(wanted.iter().map(|index| Asked {
            index: *index,
            at,
            again: false,
        }));
        self.request(source, code, &wanted);
    }

    /// Requests chunks, ascending by index, in as few datagrams as they fit.
    fn request(&mut self, to: NodeId, code: CodeHash, mut indexes: &[u32]) {
        while let Some(first) = indexes.first().copied() {
            let within = |index: &u32| index - first < REQUEST_CHUNKS_MAX;
            let count = indexes.iter().take_while(|index| within(index)).count();
            let more =
                indexes[1..count].iter().fold(0, |more, index| more | 1 << (index - first - 1));
            self.tell(to, Content::Request(Box::new(Request { code, first, more })));
            indexes = &indexes[count..];
        }
    }

    /// The timer rang: what is overdue is asked for again, and a silent peer is given up.
    pub(crate) fn fetch_again(&mut self) {
        self.fetching.armed = Time::ZERO;
        let Some((code, _)) = self.wanted_parts() else { return };
        let Some(source) = self.fetching.source else {
            // Nobody else has the code: whoever gave a wrong one may have given it by accident.
            return self.fetching.blamed.clear();
        };
        let wait = self.fetching.trip.timeout(self.settings.fetch.timeout);
        let fetching = &mut self.fetching;
        let heard = std::mem::take(&mut fetching.heard);
        fetching.silence = if heard { 0 } else { fetching.silence + 1 };
        if fetching.silence >= self.settings.fetch.silence_timeouts {
            fetching.sources.retain(|other| *other != source);
            fetching.source = None;
            fetching.asked.clear();
            return;
        }
        let mut overdue = Vec::new();
        for asked in &mut fetching.asked {
            if asked.at + wait <= self.now {
                (asked.at, asked.again) = (self.now, true);
                overdue.push(asked.index);
            }
        }
        overdue.sort_unstable();
        if !overdue.is_empty() {
            fetching.window = (fetching.window / 2).max(WINDOW_FIRST);
            fetching.credit = 0;
        }
        // What is beyond the smaller window is asked for when there is room.
        let keep = overdue.len().min(fetching.window as usize);
        let later = overdue.split_off(keep);
        fetching.asked.retain(|asked| !later.contains(&asked.index));
        self.request(source, code, &overdue);
    }

    /// Takes a chunk that was asked for.
    pub(crate) fn take_chunk(&mut self, from: NodeId, chunk: &Chunk) {
        let wanted = self.wanted_parts().is_some_and(|(code, parts)| {
            code == chunk.code && parts.wants(chunk.index, &chunk.bytes)
        });
        let fetching = &mut self.fetching;
        let place = fetching.asked.iter().position(|asked| asked.index == chunk.index);
        let (Some(place), true) = (place, wanted && fetching.source == Some(from)) else {
            return self.drop_from(from, Dropped::Unasked);
        };
        let asked = fetching.asked.swap_remove(place);
        if !asked.again {
            fetching.trip.measure(self.now.since(asked.at));
        }
        fetching.heard = true;
        fetching.credit += 1;
        if fetching.credit >= fetching.window {
            fetching.credit = 0;
            fetching.window =
                (fetching.window + 1).min(self.settings.fetch.window.max(WINDOW_FIRST));
        }
        if !fetching.givers.contains(&from) {
            fetching.givers.push(from);
        }
        self.change(Change::Chunk { index: chunk.index, bytes: chunk.bytes.clone() });
        self.assemble();
    }

    /// Checks the code once its last chunk is here.
    pub(crate) fn assemble(&mut self) {
        let Code::Parts(parts) = &self.state.code else { return };
        let (Some(code), Some(known)) = (parts.join(), self.state.known().cloned()) else { return };
        if known.accepts(&code) {
            self.change(Change::Whole(code));
            return self.fetched();
        }
        self.change(Change::Discard);
        let givers = std::mem::take(&mut self.fetching.givers);
        let from = givers.last().copied().unwrap_or(self.settings.node);
        self.notify(Notice::BadCode { release: known.id.clone(), from });
        let fetching = &mut self.fetching;
        fetching.blamed.extend(givers);
        fetching.source = None;
        fetching.asked.clear();
        // Where there is nobody else, the next try is far off.
        fetching.armed = self.now + WRONG_WAIT;
        self.arm(Timer::Fetch, self.now + WRONG_WAIT);
    }

    /// The code is whole: those who wait for it are told.
    pub(crate) fn fetched(&mut self) {
        let Some(known) = self.state.known() else { return };
        let (release, bytes) = (known.id.clone(), known.code_bytes);
        self.notify(Notice::Fetched { release, bytes });
        self.progress = true;
        let waiters = std::mem::take(&mut self.fetching.waiters);
        self.stop_fetching();
        for peer in waiters {
            self.digest(peer, false);
        }
        self.push(None, |replica, peer| replica.digest(peer, false));
    }

    /// Sends the chunks that a peer asks for, of any code that is here.
    pub(crate) fn serve(&mut self, from: NodeId, request: &Request) {
        let known = self.state.known().filter(|known| known.id.code == request.code);
        let known = known.and_then(|_| self.state.code.whole());
        let installed = self.state.installed.as_ref();
        let installed = installed.filter(|it| it.running.envelope.id.code == request.code);
        let Some(code) = known.or(installed.map(|it| &it.code)).cloned() else {
            let waiters = &mut self.fetching.waiters;
            if !waiters.contains(&from) && waiters.len() < WAITERS_MAX {
                waiters.push(from);
            }
            return self.digest(from, false);
        };
        for offset in (0..REQUEST_CHUNKS_MAX).filter(|offset| request.asks(*offset)) {
            let Some(index) = request.first.checked_add(offset) else { return };
            let Some(bytes) = chunk_of(&code, index) else { return };
            let chunk = Chunk { code: request.code, index, bytes: bytes.into() };
            self.tell(from, Content::Chunk(Box::new(chunk)));
        }
    }

    /// Makes whatever is under way count as asked for now, and the timer not as armed.
    pub(crate) fn hurry_fetch(&mut self) {
        self.fetching.armed = Time::ZERO;
        self.fetching.asked.iter_mut().for_each(|asked| asked.at = self.now);
    }

    /// Who is asked for chunks.
    pub(crate) fn source(&self) -> Option<NodeId> {
        self.fetching.source
    }
}
