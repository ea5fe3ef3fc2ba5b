// Obeys the reader: what is in view, what is shown, what is selected, and what to say of it.

class App {
  constructor(runs) {
    this.began = performance.now();
    this.single = runs.length === 1;
    this.runs = runs;
    this.names = [...new Set(runs.flatMap((run) => run.releases))];
    this.ended = Math.max(...runs.map((run) => run.ended));
    this.show = { fates: FATES.map(() => true), kinds: new Set(Object.keys(MESSAGE_KINDS)), groups: GROUPS.map(() => true), lines: false };
    for (const run of runs) for (const kind of run.messages.kind) this.show.kinds.add(run.texts[kind]);
    this.kinds = [...this.show.kinds];
    this.show.kinds.delete("ack");
    this.selected = null;
    this.cursor = null;
    this.rowScale = 1;
    this.difference = this.single ? null : runs[0].differsFrom(runs[1]);
    this.view = this.firstView();
    this.panes = runs.map((run, number) => new Pane(run, number, this));
    document.getElementById("panes").append(...this.panes.map((pane) => pane.node));
    this.tip = element("div", { class: "tip", hidden: true, "aria-hidden": "true" });
    document.body.append(this.tip);
    this.buildFilter();
    this.buildLegend();
    this.buildTools();
    this.panes.forEach((pane) => { this.listen(pane); this.listenOverview(pane); });
    this.tellDifference();
    this.readAddress();
    this.tell();
    this.draw();
    const { dataset } = document.body;
    dataset.messages = runs.map((run) => run.messages.count).join(" ");
    dataset.nodes = runs.map((run) => run.lanes.length).join(" ");
    dataset.marks = runs.map((run) => run.marks.count).join(" ");
    dataset.violations = runs.map((run) => run.violations.length).join(" ");
    dataset.readyMs = performance.now().toFixed(1);
    new ResizeObserver(() => this.redraw()).observe(document.getElementById("panes"));
  }

  // A release's place in the order of colours, the same in every pane.
  place(name) { const place = this.names.indexOf(name); return place < 0 ? this.names.length : place; }
  // `2.0.0` where that names one release only.
  shortName(name) {
    const short = (long) => long.split("#")[0];
    return this.names.filter((other) => short(other) === short(name)).length > 1 ? name : short(name);
  }
  releaseOf(text) { return text ? this.shortName(text) : "none"; }

  // Where two runs part both partings are in the picture. Where something broke, what led to it fills the
  // picture: some hundred messages; else the whole run does.
  firstView() {
    if (this.difference) {
      const { mine, its } = this.difference, [one, other] = this.runs;
      const moments = [mine === undefined ? one.ended : one.marks.at[mine], its === undefined ? other.ended : other.marks.at[its]];
      const first = Math.min(...moments), last = Math.max(...moments);
      const { sent } = one.messages, next = sent[Math.min(sent.length - 1, lowerBound(sent, first) + 80)] ?? 0;
      const wide = Math.max(5e6, Math.min(2e9, next - first));
      return { from: Math.max(0, first - wide), to: Math.min(this.ended * 1.01, last + wide) };
    }
    const broken = this.runs.flatMap((run) => run.violations.map((mark) => ({ run, at: run.marks.at[mark] })));
    if (broken.length === 0) return this.whole();
    const { run, at } = broken.reduce((first, one) => (one.at < first.at ? one : first));
    const { sent } = run.messages, last = lowerBound(sent, at);
    const wide = Math.max(5e6, Math.min(2e9, at - (sent[Math.max(0, last - 160)] ?? 0)));
    return { from: Math.max(0, at - wide), to: Math.min(Math.max(this.ended * 1.01, at + wide * 0.08), at + wide * 0.15) };
  }
  whole() { return { from: 0, to: this.ended * 1.01 }; }
  look(from, to) {
    const least = 1000, most = this.ended * 1.2;
    let wide = Math.max(least, Math.min(most, to - from));
    const middle = (from + to) / 2;
    from = Math.max(-wide * 0.5, Math.min(this.ended - wide * 0.5, middle - wide / 2));
    this.view = { from, to: from + wide };
    this.redraw();
  }
  move(part) { const wide = this.view.to - this.view.from; this.look(this.view.from + wide * part, this.view.to + wide * part); }
  zoom(times, at = (this.view.from + this.view.to) / 2) {
    const { from, to } = this.view;
    this.look(at - (at - from) / times, at + (to - at) / times);
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.draw(); });
  }
  draw() {
    const began = performance.now();
    readColours();
    this.panes.forEach((pane) => pane.draw());
    const { dataset } = document.body;
    dataset.drawMs = (performance.now() - began).toFixed(1);
    dataset.dense = this.panes.map((pane) => pane.dense).join(" ");
    dataset.visible = this.panes.map((pane) => pane.visible).join(" ");
    dataset.view = `${Math.round(this.view.from)} ${Math.round(this.view.to)}`;
  }

  // ---- selection ----

  select(selected, centre = true) {
    this.selected = selected;
    // What concerns the whole run stands on no lane: nothing is before or after it.
    const placed = (pane) => selected && selected.pane === pane.number && (selected.what === "message" || pane.run.marks.lane[selected.which] >= 0);
    this.panes.forEach((pane) => { pane.cone = placed(pane) ? pane.run.causes(selected) : null; });
    if (selected) {
      const at = this.moment(selected);
      const wide = this.view.to - this.view.from;
      if (centre && (at < this.view.from + wide * 0.02 || at > this.view.to - wide * 0.02)) this.look(at - wide / 2, at + wide / 2);
      const pane = this.panes[selected.pane], { run } = pane;
      const lane = selected.what === "mark" ? run.marks.lane[selected.which] : run.messages.from[selected.which];
      if (centre && lane >= 0 && pane.rowOf[lane] >= 0) this.reveal(pane, lane);
      this.cursor = at;
    }
    this.tell();
    this.writeAddress();
    this.redraw();
  }
  reveal(pane, lane) {
    const y = pane.y(lane);
    if (y < pane.top + 10 || y > pane.height - 10) pane.stage.scrollTop += y - pane.height / 2;
  }
  moment({ pane, what, which }) {
    const { run } = this.panes[pane];
    return what === "mark" ? run.marks.at[which] : run.messages.sent[which];
  }
  // The next thing in time, forwards or backwards: a match where something is searched for, else a telling event.
  step(direction) {
    const list = [];
    for (const pane of this.panes) {
      if (this.matches) { list.push(...pane.matches); continue; }
      for (let i = 0; i < pane.run.marks.count; i++) {
        if (pane.isMarkShown(i) && !GROUPS[pane.run.group(i)].small) list.push({ pane: pane.number, what: "mark", which: i });
      }
    }
    list.sort((a, b) => this.moment(a) - this.moment(b));
    if (list.length === 0) return;
    const same = ({ pane, what, which }) => this.selected && pane === this.selected.pane && what === this.selected.what && which === this.selected.which;
    let at = list.findIndex(same);
    if (at < 0) {
      const now = this.selected ? this.moment(this.selected) : direction > 0 ? this.view.from : this.view.to;
      const after = list.findIndex((one) => this.moment(one) >= now);
      at = direction > 0 ? (after < 0 ? list.length : after) - 1 : after < 0 ? list.length : after;
    }
    this.select(list[Math.max(0, Math.min(list.length - 1, at + direction))]);
  }
  jump() {
    const broken = this.panes.flatMap((pane) => pane.run.violations.map((which) => ({ pane: pane.number, what: "mark", which })));
    if (broken.length === 0) return;
    const at = broken.findIndex((one) => this.selected && one.pane === this.selected.pane && one.which === this.selected.which);
    const next = broken[(at + 1) % broken.length];
    const wide = Math.min(this.view.to - this.view.from, 2e9), moment = this.moment(next);
    this.look(moment - wide * 0.7, moment + wide * 0.3);
    this.select(next);
  }

  // ---- words ----

  tell() {
    const said = document.getElementById("said");
    const { selected } = this;
    if (!selected) {
      said.replaceChildren(element("h2", { text: "Nothing selected" }), element("p", { class: "quiet", text: "Click a sign, a message or a band. What led to it and what it led to stays bright; all else is dimmed. Next goes from event to event." }), ...this.summary());
      document.body.dataset.selected = "";
      return;
    }
    const { run, cone } = this.panes[selected.pane];
    const parts = selected.what === "mark" ? this.tellMark(run, selected.which) : this.tellMessage(run, selected.which);
    if (cone) {
      const { before, after } = run.neighbours(selected, 4);
      parts.push(element("h3", { text: "Happened before" }), element("p", { text: this.reach(cone.past) }), this.links(selected.pane, before));
      parts.push(element("h3", { text: "May have been caused by it" }), element("p", { text: this.reach(cone.future) }), this.links(selected.pane, after));
    }
    said.replaceChildren(...parts);
    document.body.dataset.selected = `${selected.what} ${selected.which}`;
    document.body.dataset.past = cone ? cone.past.events : 0;
    document.body.dataset.future = cone ? cone.future.events : 0;
  }
  summary() {
    return this.runs.map((run) => {
      const count = new Map();
      for (const fate of run.messages.fate) count.set(fate, (count.get(fate) || 0) + 1);
      const list = FATES.map((name, fate) => [name, count.get(fate) || 0]).filter(([, times]) => times > 0);
      const words = list.flatMap(([name, times]) => [element("dt", { text: name }), element("dd", { text: times.toLocaleString("en") })]);
      return element("div", {}, element("h3", { text: this.single ? "Messages" : `Messages, seed ${run.seed}` }), element("dl", {}, ...words));
    });
  }
  reach(side) { return side.events === 0 ? "nothing that is here" : `${many(side.events, "event")} on ${many(side.lanes.size, "node")}`; }
  facts(list) {
    return element("dl", {}, ...list.filter(([, text]) => text).flatMap(([name, text]) => [element("dt", { text: name }), element("dd", { text })]));
  }
  tellMark(run, which) {
    const { marks } = run, at = marks.at[which], lane = marks.lane[which], kind = run.markKind(which);
    const facts = [["time", seconds(at)]];
    if (lane >= 0) {
      const release = run.stretchAt(lane, at, "release"), held = run.heldAt(lane, at);
      const down = run.stretchAt(lane, at, "down") || run.stretchAt(lane, at, "gone"), paused = run.stretchAt(lane, at, "paused");
      facts.push(["node", run.lanes[lane].name], ["runs", release ? this.shortName(release.text) : ""], ["state", down ? down.text : paused ? paused.text : ""], ["holds", held ? many(held, "message") : ""]);
    }
    const title = kind === "violation" ? "⚑ Violation" : lane >= 0 ? `${run.lanes[lane].name}: ${kind}` : kind;
    return [element("h2", { text: title }), element("p", { text: run.markText(which) }), this.facts(facts)];
  }
  tellMessage(run, which) {
    const { messages } = run, name = (lane) => run.lanes[lane].name;
    const fate = messages.fate[which], sent = messages.sent[which], arrived = messages.arrived[which];
    const became = ["arrived", "was lost", "met a cut, or a node that was not there", "is a second copy", "arrived and was held for a newer release", "arrived and was converted for the release that runs there", "was corrupted", "was under way when the run ended"][fate];
    return [
      element("h2", { text: `${name(messages.from[which])} → ${name(messages.to[which])}: ${MESSAGE_KINDS[run.messageKind(which)] || run.messageKind(which)}` }),
      element("p", { text: run.messageText(which) }),
      this.facts([
        ["fate", became], ["sent", seconds(sent)], ["arrived", arrived >= 0 ? `${seconds(arrived)}, after ${span(arrived - sent)}` : messages.dropped[which] >= 0 ? `dropped at ${seconds(messages.dropped[which])}` : "never"],
        ["sent by", run.texts[messages.release[which]] ? `code of ${this.shortName(run.texts[messages.release[which]])}` : ""], ["length", many(messages.bytes[which], "byte")],
      ]),
    ];
  }
  words({ pane, what, which }) {
    const { run } = this.panes[pane];
    if (what === "mark") {
      const lane = run.marks.lane[which];
      return `${seconds(run.marks.at[which], 1e5)} ${lane < 0 ? "" : run.lanes[lane].name + " "}${run.markKind(which)}: ${run.markText(which)}`;
    }
    const { messages } = run;
    const fate = messages.fate[which] === DELIVERED ? "" : ` (${FATES[messages.fate[which]]})`;
    return `${seconds(messages.sent[which], 1e5)} ${run.lanes[messages.from[which]].name} → ${run.lanes[messages.to[which]].name}${fate}: ${run.messageText(which)}`;
  }
  links(pane, list) {
    const link = (one) => element("li", {}, element("button", { class: "link", type: "button", text: this.words({ ...one, pane }), onclick: () => this.select({ ...one, pane }) }));
    return element("ul", {}, ...list.map(link));
  }
  tellDifference() {
    if (this.single) return;
    const first = this.difference, place = document.getElementById("difference");
    place.hidden = false;
    if (!first) { place.textContent = "The two runs tell the same events."; return; }
    const shown = (pane, which) => which === undefined ? "has ended" : this.words({ pane, what: "mark", which });
    const go = element("button", { class: "link", type: "button", text: "Show", onclick: () => this.select(first.mine === undefined ? { pane: 1, what: "mark", which: first.its } : { pane: 0, what: "mark", which: first.mine }) });
    place.replaceChildren("They differ first here. ", element("b", { text: "One: " }), shown(0, first.mine), element("b", { text: " The other: " }), shown(1, first.its), " ", go);
  }

  // ---- search ----

  search(text) {
    const wanted = text.trim().toLowerCase();
    const found = document.getElementById("found");
    this.matches = wanted !== "";
    let count = 0;
    for (const pane of this.panes) {
      pane.matches = wanted ? this.find(pane, wanted) : null;
      count += wanted ? pane.matches.length : 0;
    }
    found.textContent = wanted ? many(count, "match", "matches") : "";
    document.body.dataset.matches = count;
    this.redraw();
  }
  find(pane, wanted) {
    const { run } = pane, list = [];
    const holds = run.texts.map((text) => text.toLowerCase().includes(wanted));
    const named = run.lanes.map((lane) => lane.name.toLowerCase() === wanted);
    for (let i = 0; i < run.marks.count; i++) {
      if (holds[run.marks.text[i]] || holds[run.marks.kind[i]] || named[run.marks.lane[i]]) list.push({ pane: pane.number, what: "mark", which: i });
    }
    const fates = FATES.map((fate) => fate === wanted);
    for (let i = 0; i < run.messages.count; i++) {
      if (holds[run.messages.text[i]] || fates[run.messages.fate[i]]) list.push({ pane: pane.number, what: "message", which: i });
    }
    return list;
  }

  // ---- controls ----

  buildTools() {
    const acts = this.acts = {
      earlier: () => this.move(-0.25), later: () => this.move(0.25), in: () => this.zoom(1.6), out: () => this.zoom(1 / 1.6),
      whole: () => { this.view = this.whole(); this.redraw(); },
      next: () => this.step(1), previous: () => this.step(-1), violation: () => this.jump(),
      taller: () => this.scaleRows(1.3), shorter: () => this.scaleRows(1 / 1.3),
      side: () => { document.getElementById("panes").classList.toggle("side"); this.redraw(); },
      filter: () => this.toggle("filter"), help: () => this.toggle("help"), theme: () => this.turn(),
    };
    for (const button of document.querySelectorAll("#tools [data-do]")) button.addEventListener("click", () => acts[button.dataset.do]());
    document.querySelector('[data-do="violation"]').hidden = this.runs.every((run) => run.violations.length === 0);
    document.querySelector('[data-do="side"]').hidden = this.single;
    if (!this.single && window.innerWidth >= 1500) document.getElementById("panes").classList.add("side");
    const find = document.getElementById("find");
    find.addEventListener("input", () => this.search(find.value));
    find.addEventListener("keydown", (event) => { if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1); });
    document.addEventListener("keydown", (event) => this.key(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.buildLegend(); this.redraw(); });
    document.getElementById("table").addEventListener("click", (event) => {
      const row = event.target.closest("tr[data-mark]");
      if (!row) return;
      this.select({ pane: Number(row.dataset.pane), what: "mark", which: Number(row.dataset.mark) });
      document.getElementById("panes").scrollIntoView({ block: "nearest" });
    });
  }
  scaleRows(times) { this.rowScale = Math.max(0.05, Math.min(40, this.rowScale * times)); this.redraw(); }
  turn() {
    const { dataset } = document.documentElement;
    const dark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    dataset.theme = dark ? "light" : "dark";
    this.buildLegend();
    this.redraw();
  }
  toggle(name, open) {
    const sheet = document.getElementById(name);
    sheet.hidden = open === undefined ? !sheet.hidden : !open;
    document.querySelector(`[data-do="${name}"]`).setAttribute("aria-expanded", String(!sheet.hidden));
    this.redraw();
  }
  key(event) {
    if (event.key === "Escape") {
      const open = ["help", "filter"].filter((name) => !document.getElementById(name).hidden);
      if (open.length > 0) open.forEach((name) => this.toggle(name, false));
      else this.select(null);
      document.activeElement.blur();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    const lanes = (sign) => this.panes.forEach((pane) => { pane.stage.scrollTop += sign * Math.max(24, pane.tall); });
    const keys = {
      ArrowLeft: this.acts.earlier, ArrowRight: this.acts.later, "+": this.acts.in, "=": this.acts.in, "-": this.acts.out, "0": this.acts.whole,
      n: this.acts.next, p: this.acts.previous, v: this.acts.violation, "?": this.acts.help, f: this.acts.filter, "[": this.acts.shorter, "]": this.acts.taller,
      "/": () => document.getElementById("find").focus(),
    };
    const scrolls = this.panes.some((pane) => pane.stage.scrollHeight > pane.stage.clientHeight + 1);
    if (scrolls && document.activeElement && document.activeElement.tagName === "CANVAS") { keys.ArrowUp = () => lanes(-1); keys.ArrowDown = () => lanes(1); }
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  listen(pane) {
    const { canvas } = pane, down = new Map();
    let moved = 0, pinch = 0;
    const point = (event) => { const box = canvas.getBoundingClientRect(); return { x: event.clientX - box.left, y: event.clientY - box.top }; };
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); down.set(event.pointerId, point(event)); moved = 0; pinch = 0; });
    canvas.addEventListener("pointermove", (event) => {
      const now = point(event), before = down.get(event.pointerId);
      if (!before) return this.hover(pane, now, event);
      const perPixel = (this.view.to - this.view.from) / pane.inner;
      down.set(event.pointerId, now);
      if (down.size === 1) {
        moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
        if (moved > 4) { canvas.classList.add("moving"); const by = (before.x - now.x) * perPixel; this.look(this.view.from + by, this.view.to + by); if (event.pointerType === "mouse") pane.stage.scrollTop += before.y - now.y; }
      } else if (down.size === 2) {
        const [a, b] = [...down.values()], wide = Math.hypot(a.x - b.x, a.y - b.y);
        if (pinch > 0) this.zoom(wide / pinch, pane.time((a.x + b.x) / 2));
        pinch = wide;
        moved += 9;
      }
    });
    const up = (event) => {
      if (!down.delete(event.pointerId)) return;
      canvas.classList.remove("moving");
      if (event.type === "pointerup" && moved <= 4 && down.size === 0) { const at = point(event); this.select(pane.under(at.x, at.y, event.pointerType === "mouse" ? 12 : 26), false); }
      pinch = 0;
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    canvas.addEventListener("wheel", (event) => {
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      if (event.ctrlKey || event.metaKey) { event.preventDefault(); this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.004)), pane.time(point(event).x)); }
      else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) { event.preventDefault(); this.move(sideways / pane.inner); }
    }, { passive: false });
    canvas.addEventListener("dblclick", (event) => this.zoom(2.5, pane.time(point(event).x)));
  }
  // The words of what is under the mouse, beside it.
  hover(pane, at, event) {
    if (event.pointerType !== "mouse" || this.hovering) return;
    this.hovering = true;
    const { clientX, clientY } = event;
    requestAnimationFrame(() => {
      this.hovering = false;
      const hit = pane.under(at.x, at.y, 9);
      this.tip.hidden = !hit;
      if (!hit) return;
      this.tip.textContent = this.words(hit);
      const { offsetWidth, offsetHeight } = this.tip;
      this.tip.style.left = `${Math.max(4, Math.min(window.innerWidth - offsetWidth - 8, clientX + 14))}px`;
      this.tip.style.top = `${clientY + 18 + offsetHeight > window.innerHeight ? clientY - offsetHeight - 12 : clientY + 18}px`;
    });
  }
  // In the overview: a drag chooses a stretch of time, a click looks there.
  listenOverview(pane) {
    const { overview } = pane;
    let start = null;
    const time = (event) => { const box = overview.getBoundingClientRect(); return Math.max(0, Math.min(1, (event.clientX - box.left - pane.gutter) / pane.inner)) * this.ended; };
    overview.addEventListener("pointerdown", (event) => { overview.setPointerCapture(event.pointerId); start = { time: time(event), x: event.clientX }; });
    overview.addEventListener("pointermove", (event) => { if (start && Math.abs(event.clientX - start.x) > 3) { const now = time(event); this.look(Math.min(now, start.time), Math.max(now, start.time)); } });
    overview.addEventListener("pointerup", (event) => {
      if (start && Math.abs(event.clientX - start.x) <= 3) { const wide = this.view.to - this.view.from, at = time(event); this.look(at - wide / 2, at + wide / 2); }
      start = null;
    });
  }

  buildFilter() {
    const sheet = document.getElementById("filter");
    const check = (text, on, change) => {
      const box = element("input", { type: "checkbox" });
      box.checked = on;
      box.addEventListener("change", () => { change(box.checked); this.redraw(); });
      return element("label", { class: "check" }, box, text);
    };
    const checks = (title, list) => [element("h2", { text: title }), element("div", { class: "checks" }, ...list)];
    const has = (fate) => this.runs.some((run) => run.messages.fate.includes(fate));
    const seen = (group) => this.runs.some((run) => run.texts.some((text) => GROUPS[group].kinds.includes(text)));
    sheet.append(
      ...checks("Messages", this.kinds.map((kind) => check(MESSAGE_KINDS[kind] || kind, this.show.kinds.has(kind), (on) => { on ? this.show.kinds.add(kind) : this.show.kinds.delete(kind); }))),
      ...checks("What became of them", FATES.map((name, fate) => [name, fate]).filter(([, fate]) => has(fate)).map(([name, fate]) => check(name, true, (on) => { this.show.fates[fate] = on; }))),
      ...checks("Events", GROUPS.map((group, at) => [group, at]).filter(([, at]) => seen(at)).map(([group, at]) => check(group.name, true, (on) => { this.show.groups[at] = on; }))),
    );
    const lanes = this.panes.reduce((most, pane) => Math.max(most, pane.run.lanes.length), 0);
    const boxes = [];
    const hide = (lane, on) => { for (const pane of this.panes) { on ? pane.hiddenLanes.delete(lane) : pane.hiddenLanes.add(lane); pane.rows(); } };
    for (let lane = 0; lane < lanes; lane++) boxes.push(check(this.panes.map((pane) => pane.run.lanes[lane]).find((one) => one).name, true, (on) => hide(lane, on)));
    const all = (on) => { boxes.forEach((box, lane) => { box.firstChild.checked = on; hide(lane, on); }); this.redraw(); };
    sheet.append(element("h2", { text: "Nodes" }), element("div", { class: "group" },
      element("button", { type: "button", text: "All", onclick: () => all(true) }), element("button", { type: "button", text: "None", onclick: () => all(false) }),
      element("button", { type: "button", text: "Those of the selection", title: "Nodes in the past or the future of what is selected", onclick: () => this.onlyConcerned(boxes, hide) })),
    element("div", { class: "checks" }, ...boxes));
  }
  onlyConcerned(boxes, hide) {
    const pane = this.selected && this.panes[this.selected.pane];
    if (!pane || !pane.cone) return;
    const { run } = pane, { what, which } = this.selected;
    const own = what === "mark" ? [run.marks.lane[which]] : [run.messages.from[which], run.messages.to[which]];
    boxes.forEach((box, lane) => { const on = own.includes(lane) || pane.cone.past.lanes.has(lane) || pane.cone.future.lanes.has(lane); box.firstChild.checked = on; hide(lane, on); });
    this.redraw();
  }

  // What each colour, dash and sign means: painted by what paints the picture.
  buildLegend() {
    readColours();
    const item = (text, wide, paint) => {
      const canvas = element("canvas", { "aria-hidden": "true" });
      canvas.style.width = `${wide}px`;
      paint(fit(canvas, wide, 18));
      return element("span", { class: "item" }, canvas, text);
    };
    const seen = (kind) => this.runs.some((run) => run.texts.includes(kind));
    const releases = this.names.map((name) => item(this.shortName(name), 44, (c) => Pane.prototype.releaseBand.call({ band: 11 }, c, 1, 9, 42, this.place(name), "")));
    const lasts = (...kinds) => this.runs.some((run) => run.lanes.some((lane) => lane.stretches.some((one) => kinds.includes(one.kind))));
    const states = [
      lasts("down", "gone") && item("down", 34, (c) => { hatch(c, 1, 4, 32, 10, OKABE_ITO.vermillion, 5, 0.8); c.strokeStyle = OKABE_ITO.vermillion; c.strokeRect(1, 4.5, 32, 9); }),
      lasts("paused") && item("stands still", 34, (c) => { c.fillStyle = colours.ink; c.globalAlpha = 0.5; for (let x = 2; x < 33; x += 5) c.fillRect(x, 4, 1.5, 10); }),
      this.runs.some((run) => run.lanes.some((lane) => lane.held.length > 0)) && item("held at the gate", 34, (c) => { c.fillStyle = OKABE_ITO.orange; c.fillRect(1, 5, 12, 4); c.fillRect(13, 5, 10, 9); c.fillRect(23, 5, 10, 6); }),
      this.runs.some((run) => run.stretches.some((one) => one.sides.length > 0)) && item("parted (A from B)", 34, (c) => { c.fillStyle = colours.shade; c.globalAlpha = 0.12; c.fillRect(0, 1, 34, 8); c.globalAlpha = 0.24; c.fillRect(0, 9, 34, 8); }),
    ].filter(Boolean);
    const line = (fate, text, colour) => item(text, 42, (c) => { strokeLines(c, [2, 3, 34, 14], { ...LINES[fate], colour: colour || lineColour(fate), width: Math.max(1.4, LINES[fate].width) }, 1); if (fate !== DELIVERED && fate !== UNDER_WAY) drawFate(c, fate, 34, 13, 3); });
    const fates = FATES.map((name, fate) => [name, fate]).filter(([, fate]) => fate !== DELIVERED && this.runs.some((run) => run.messages.fate.includes(fate))).map(([name, fate]) => line(fate, name));
    const app = line(DELIVERED, "app message, by its sender's release", releaseColour(0));
    const plain = line(DELIVERED, "gossip, code");
    const kinds = ["command", "fetched", "staged", "prepared", "committed", "quarantined", "crashed", "recovered", "paused", "held", "drained", "nacked"].filter(seen);
    const signs = kinds.map((kind) => item(SIGNS[kind].name, 18, (c) => drawSign(c, kind, 9, 9, 4)));
    const row = (title, list) => element("div", { class: "row" }, element("h2", { text: title }), ...list);
    document.getElementById("legend").replaceChildren(row("Nodes", [...releases, ...states]), row("Messages", [app, plain, ...fates]), ...(signs.length > 0 ? [row("Events", signs)] : []));
  }

  // ---- the address: what is looked at can be sent to somebody ----

  readAddress() {
    const asked = new URLSearchParams(location.hash.slice(1));
    if (asked.has("theme")) { document.documentElement.dataset.theme = asked.get("theme") === "dark" ? "dark" : "light"; this.buildLegend(); }
    const times = (asked.get("time") || "").split("-").map(Number);
    if (times.length === 2 && times.every(Number.isFinite) && times[0] < times[1]) this.look(times[0] * 1e9, times[1] * 1e9);
    if (asked.has("find")) { document.getElementById("find").value = asked.get("find"); this.search(asked.get("find")); }
    for (const sheet of (asked.get("open") || "").split(",")) if (["filter", "help"].includes(sheet)) this.toggle(sheet, true);
    const pane = Number(asked.get("pane") || 0), { run } = this.panes[pane] || this.panes[0];
    for (const what of ["mark", "message"]) {
      const which = asked.has(what) ? Number(asked.get(what)) : NaN;
      const { count } = what === "mark" ? run.marks : run.messages;
      if (Number.isInteger(which) && which >= 0 && which < count && this.panes[pane]) { this.panes.forEach((one) => one.layout()); this.select({ pane, what, which }); }
    }
    const broken = this.runs.findIndex((one) => one.violations.length > 0);
    // What broke is what somebody came for.
    if (location.hash.length < 2 && broken >= 0) { this.panes.forEach((one) => one.layout()); this.select({ pane: broken, what: "mark", which: this.runs[broken].violations[0] }, false); }
    if (asked.get("jump") === "violation") { this.panes.forEach((one) => one.layout()); this.jump(); }
  }
  writeAddress() {
    const parts = new URLSearchParams();
    parts.set("time", `${(this.view.from / 1e9).toFixed(6)}-${(this.view.to / 1e9).toFixed(6)}`);
    if (this.selected) { parts.set("pane", this.selected.pane); parts.set(this.selected.what, this.selected.which); }
    try { history.replaceState(null, "", `#${parts}`); } catch { /* Some browsers refuse it to files; the page works without. */ }
  }
}

const app = new App(JSON.parse(document.getElementById("data").textContent).map((data) => new Run(data)));
