"use strict";
// One run: its columns decoded, its lookups by time, and what happened before what.

const FATES = ["delivered", "lost", "cut", "duplicated", "held", "converted", "corrupted", "under way"];
const DELIVERED = 0, LOST = 1, CUT = 2, DUPLICATED = 3, HELD = 4, CONVERTED = 5, CORRUPTED = 6, UNDER_WAY = 7;

// What kinds of mark belong together, and whether they are everyday work, shown small.
const GROUPS = [
  { name: "rollout", kinds: ["command", "merged", "conflict", "fetched", "fetch-resumed", "staged", "prepared", "committed", "quarantined"] },
  { name: "faults", kinds: ["crashed", "recovered", "left", "paused", "resumed", "incarnation", "peer-lost", "renumbered", "fault", "fault-ends"] },
  { name: "gate", kinds: ["held", "drained", "not-delivered", "nacked"] },
  { name: "members", kinds: ["enrolled", "member", "retired", "gone", "resynced", "not-retired", "rebuilt"] },
  { name: "refused", kinds: ["forged", "bad-code", "faulted", "refused", "rejected", "void"] },
  { name: "app messages", kinds: ["message", "message-sent"], small: true },
  { name: "operations", kinds: ["broadcast", "carried-out", "parked"], small: true },
  { name: "clients", kinds: ["operation"], small: true },
  { name: "datagrams dropped", kinds: ["dropped", "retransmitted"], small: true },
  { name: "harness", kinds: ["harness", "violation"] },
];
const MESSAGE_KINDS = { app: "app messages", operations: "operations", repair: "repair of operations", members: "members", once: "once or never", gossip: "gossip", code: "code", ack: "acknowledgements" };

// 1234567890 ns as text: as many digits as a step of `step` ns needs.
function seconds(nanos, step = 1000) {
  const digits = Math.max(0, Math.min(9, Math.ceil(9 - Math.log10(step) - 1e-9)));
  return (nanos / 1e9).toFixed(digits) + " s";
}
function span(nanos) {
  if (nanos < 1e3) return `${nanos} ns`;
  if (nanos < 1e6) return `${(nanos / 1e3).toPrecision(3)} µs`;
  if (nanos < 1e9) return `${(nanos / 1e6).toPrecision(3)} ms`;
  return `${(nanos / 1e9).toPrecision(3)} s`;
}
function many(count, one, more) { return `${count.toLocaleString("en")} ${count === 1 ? one : more || one + "s"}`; }
// The first place of sorted `list` whose value is at least `value`.
function lowerBound(list, value) {
  let low = 0, high = list.length;
  while (low < high) { const mid = (low + high) >> 1; if (list[mid] < value) low = mid + 1; else high = mid; }
  return low;
}
function sums(differences) {
  const list = new Float64Array(differences.length);
  let sum = 0;
  for (let i = 0; i < list.length; i++) list[i] = sum += differences[i];
  return list;
}
// Differences to `base`; -1 stays -1: there is none.
function from(base, differences) {
  const list = new Float64Array(differences.length);
  for (let i = 0; i < list.length; i++) list[i] = differences[i] < 0 ? -1 : base[i] + differences[i];
  return list;
}

class Run {
  constructor(data) {
    Object.assign(this, {
      scenario: data.scenario, seed: data.seed, repeat: data.repeat, verdict: data.verdict, asExpected: data.as_expected,
      safetyEnded: data.safety_ended, ended: Math.max(data.ended, 1), lanes: data.lanes, stretches: data.stretches,
      violations: data.violations, leftOut: data.left_out, texts: data.texts,
    });
    const { marks, messages } = data;
    this.marks = { count: marks.at.length, at: sums(marks.at), order: sums(marks.order), lane: marks.lane, kind: marks.kind, text: marks.text };
    const sent = sums(messages.sent), sentOrder = sums(messages.sent_order);
    this.messages = {
      count: sent.length, from: messages.from, to: messages.to, sent, sentOrder,
      arrived: from(sent, messages.arrived), arrivedOrder: from(sentOrder, messages.arrived_order), dropped: from(sent, messages.dropped),
      fate: messages.fate, kind: messages.kind, release: messages.release, bytes: messages.bytes, text: messages.text,
    };
    let longest = 0;
    this.ends = new Float64Array(sent.length);
    for (let i = 0; i < sent.length; i++) {
      const end = this.messageEnd(i);
      this.ends[i] = end;
      longest = Math.max(longest, end - sent[i]);
    }
    this.longest = longest;
    this.heldMost = Math.max(1, ...this.lanes.map((lane) => lane.held.reduce((most, [, held]) => Math.max(most, held), 0)));
    this.groupOf = new Map();
    GROUPS.forEach((group, at) => group.kinds.forEach((kind) => this.groupOf.set(this.texts.indexOf(kind), at)));
    this.releases = this.releasesSeen();
    this.events = null;
  }

  // Where the line of a message ends in time. One that never left its sender's end is drawn as if it travelled a little.
  messageEnd(i) {
    const { arrived, dropped, sent, fate } = this.messages;
    if (arrived[i] >= 0) return arrived[i];
    if (dropped[i] >= 0) return dropped[i];
    return fate[i] === UNDER_WAY ? Math.max(this.ended, sent[i]) : sent[i] + 4e6;
  }

  // Names of releases in the order in which nodes came to run them.
  releasesSeen() {
    const first = new Map();
    for (const lane of this.lanes) {
      for (const stretch of lane.stretches) {
        if (stretch.kind === "release") first.set(stretch.text, Math.min(stretch.from, first.get(stretch.text) ?? Infinity));
      }
    }
    return [...first].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
  }

  group(mark) { return this.groupOf.get(this.marks.kind[mark]) ?? GROUPS.length - 1; }
  markKind(mark) { return this.texts[this.marks.kind[mark]]; }
  markText(mark) { return this.texts[this.marks.text[mark]]; }
  messageKind(message) { return this.texts[this.messages.kind[message]]; }
  messageText(message) { return this.texts[this.messages.text[message]]; }

  // What lasted on a lane at a moment, by kind.
  stretchAt(lane, at, kind) {
    const within = (stretch) => stretch.kind === kind && stretch.from <= at && (at < stretch.to || stretch.to === this.ended);
    return this.lanes[lane].stretches.filter(within).pop();
  }
  heldAt(lane, at) {
    const { held } = this.lanes[lane];
    let low = 0, high = held.length;
    while (low < high) { const mid = (low + high) >> 1; if (held[mid][0] <= at) low = mid + 1; else high = mid; }
    return low === 0 ? 0 : held[low - 1][1];
  }

  // Everything that happened on a lane, in the one order of all lanes: marks, sendings, arrivals.
  everything() {
    if (this.events) return this.events;
    const { marks, messages } = this;
    const placed = Uint32Array.from({ length: marks.count }, (_, i) => i).filter((i) => marks.lane[i] >= 0);
    const arrived = Uint32Array.from({ length: messages.count }, (_, i) => i).filter((i) => messages.arrivedOrder[i] >= 0);
    arrived.sort((a, b) => messages.arrivedOrder[a] - messages.arrivedOrder[b]);
    const count = placed.length + messages.count + arrived.length;
    const events = { count, order: new Float64Array(count), what: new Uint8Array(count), which: new Uint32Array(count), lane: new Uint32Array(count) };
    // Three lists, each in its order, become one.
    for (let i = 0, mark = 0, sent = 0, came = 0; i < count; i++) {
      const orders = [
        mark < placed.length ? marks.order[placed[mark]] : Infinity,
        sent < messages.count ? messages.sentOrder[sent] : Infinity,
        came < arrived.length ? messages.arrivedOrder[arrived[came]] : Infinity,
      ];
      const what = orders[0] < orders[1] && orders[0] < orders[2] ? 0 : orders[1] < orders[2] ? 1 : 2;
      const which = what === 0 ? placed[mark++] : what === 1 ? sent++ : arrived[came++];
      events.order[i] = orders[what]; events.what[i] = what; events.which[i] = which;
      events.lane[i] = what === 0 ? marks.lane[which] : what === 1 ? messages.from[which] : messages.to[which];
    }
    return this.events = events;
  }

  // What happened before a selection and what it led to: the lanes' own order, and messages between them.
  causes(selected) {
    const events = this.everything(), { messages } = this;
    const past = { marks: new Uint8Array(this.marks.count), messages: new Uint8Array(messages.count), events: 0, lanes: new Set() };
    const future = { marks: new Uint8Array(this.marks.count), messages: new Uint8Array(messages.count), events: 0, lanes: new Set() };
    const cone = { past, future, since: new Float64Array(this.lanes.length).fill(-1), until: new Float64Array(this.lanes.length).fill(Infinity) };
    const isMark = selected.what === "mark";
    const first = isMark ? this.marks.order[selected.which] : messages.sentOrder[selected.which];
    const arrival = isMark ? first : messages.arrivedOrder[selected.which];
    const lane = isMark ? this.marks.lane[selected.which] : messages.from[selected.which];
    if (lane < 0) return cone;
    // Backwards: of each lane everything up to its frontier came before; an arrival among it brings in its sending.
    const up = new Float64Array(this.lanes.length).fill(-1);
    up[lane] = first;
    for (let i = lowerBound(events.order, first + 0.5) - 1; i >= 0; i--) {
      if (events.order[i] > up[events.lane[i]]) continue;
      const which = events.which[i];
      if (events.order[i] !== first) { past.events++; past.lanes.add(events.lane[i]); }
      if (events.what[i] === 0) past.marks[which] = 1;
      if (events.what[i] === 2) {
        past.messages[which] = 1;
        up[messages.from[which]] = Math.max(up[messages.from[which]], messages.sentOrder[which]);
      }
    }
    // Forwards: of each lane everything from its frontier on came after; a sending among it leads to its arrival.
    const down = new Float64Array(this.lanes.length).fill(Infinity);
    if (arrival >= 0) {
      down[isMark ? lane : messages.to[selected.which]] = arrival;
      for (let i = lowerBound(events.order, arrival); i < events.count; i++) {
        if (events.order[i] < down[events.lane[i]]) continue;
        const which = events.which[i];
        if (events.order[i] !== arrival) { future.events++; future.lanes.add(events.lane[i]); }
        if (events.what[i] === 0) future.marks[which] = 1;
        if (events.what[i] === 1) {
          future.messages[which] = 1;
          const arrives = messages.arrivedOrder[which];
          if (arrives >= 0) down[messages.to[which]] = Math.min(down[messages.to[which]], arrives);
        }
      }
    }
    this.timesOf(cone, up, down);
    return cone;
  }

  // By lane: the last moment of the past and the first of the future.
  timesOf(cone, up, down) {
    const { messages, marks } = this, events = this.events;
    const time = (i) => events.what[i] === 0 ? marks.at[events.which[i]] : events.what[i] === 1 ? messages.sent[events.which[i]] : messages.arrived[events.which[i]];
    for (let i = 0; i < events.count; i++) {
      const lane = events.lane[i];
      if (events.order[i] <= up[lane]) cone.since[lane] = time(i);
      if (events.order[i] >= down[lane] && cone.until[lane] === Infinity) cone.until[lane] = time(i);
    }
  }

  // What stands next to a selection on its lane: the messages and marks just before and just after.
  neighbours(selected, room) {
    const events = this.everything(), { messages, marks } = this;
    const near = (order, lane, step) => {
      const found = [];
      let i = step < 0 ? lowerBound(events.order, order) - 1 : lowerBound(events.order, order + 0.5);
      for (let looked = 0; i >= 0 && i < events.count && found.length < room && looked < 200000; i += step, looked++) {
        if (events.lane[i] !== lane) continue;
        const what = events.what[i];
        // Backwards what came in matters, forwards what went out; acknowledgements rarely do.
        if (what !== 0 && what !== (step < 0 ? 2 : 1)) continue;
        if (what !== 0 && this.messageKind(events.which[i]) === "ack") continue;
        found.push({ what: what === 0 ? "mark" : "message", which: events.which[i] });
      }
      return found;
    };
    if (selected.what === "mark") {
      const lane = marks.lane[selected.which], order = marks.order[selected.which];
      return lane < 0 ? { before: [], after: [] } : { before: near(order, lane, -1), after: near(order, lane, 1) };
    }
    const { which } = selected;
    const after = messages.arrivedOrder[which] < 0 ? [] : near(messages.arrivedOrder[which], messages.to[which], 1);
    return { before: near(messages.sentOrder[which], messages.from[which], -1), after };
  }

  // The first telling event in which another run differs; null where none does.
  differsFrom(other) {
    const telling = (run) => {
      const list = [];
      // Incarnations are numbers of a clock and always differ.
      for (let i = 0; i < run.marks.count; i++) if (!GROUPS[run.group(i)].small && run.markKind(i) !== "incarnation") list.push(i);
      return list;
    };
    const mine = telling(this), its = telling(other);
    for (let i = 0; i < Math.max(mine.length, its.length); i++) {
      const [a, b] = [mine[i], its[i]];
      if (a === undefined || b === undefined) return { mine: a, its: b };
      const same = this.marks.at[a] === other.marks.at[b] && this.marks.lane[a] === other.marks.lane[b] && this.markText(a) === other.markText(b);
      if (!same) return { mine: a, its: b };
    }
    return null;
  }
}
