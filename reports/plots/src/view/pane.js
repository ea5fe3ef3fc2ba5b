// One run on the screen: where everything stands, what is painted, and what lies under a point.

const AXIS = 24, STRIP = 15, MANY = 50000, FEW = 2500;
const OVERVIEW = 46;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") made.textContent = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

class Pane {
  constructor(run, number, app) {
    Object.assign(this, { run, number, app, matches: null, cone: null });
    this.hiddenLanes = new Set();
    this.overview = element("canvas", { "aria-hidden": "true", class: "overview" });
    this.canvas = element("canvas", { tabindex: "0", role: "img" });
    this.spacer = element("div", {}, this.canvas);
    this.stage = element("div", { class: "stage" }, this.spacer);
    this.state = element("div", { class: "state" });
    const heading = element("h2", { text: `${run.scenario} seed ${run.seed}` }, element("span", { class: "quiet", text: ` · ${run.verdict}` }));
    this.node = element("section", { class: "pane", "aria-label": `${run.scenario} seed ${run.seed}` }, ...(app.single ? [] : [heading]), this.overview, this.stage, this.state);
    const what = `Space-time diagram: ${many(run.lanes.length, "node")}, ${many(run.messages.count, "message")}, ${many(run.marks.count, "event")}. ${run.verdict}. Keys: question mark.`;
    this.canvas.setAttribute("aria-label", what);
    this.stage.addEventListener("scroll", () => app.redraw());
    this.rows();
  }

  // Lanes that are shown, and where.
  rows() {
    const { run } = this;
    this.shown = run.lanes.map((_, lane) => lane).filter((lane) => !this.hiddenLanes.has(lane));
    this.rowOf = new Int32Array(run.lanes.length).fill(-1);
    this.shown.forEach((lane, row) => { this.rowOf[lane] = row; });
  }
  layout() {
    const width = this.stage.clientWidth || this.node.clientWidth;
    const room = Math.max(240, (this.app.single ? 0.66 : 0.44) * window.innerHeight);
    const rows = Math.max(1, this.shown.length);
    const strips = this.strips();
    this.top = AXIS + strips * STRIP + 4;
    const fitting = Math.max(rows > 200 ? 1 : rows > 60 ? 6 : 22, Math.min(rows < 6 ? 92 : 72, (room - this.top) / rows));
    this.tall = Math.max(1, Math.min(120, fitting * this.app.rowScale));
    this.width = width;
    this.gutter = this.tall < 9 ? 46 : width < 520 ? 44 : 58;
    this.inner = Math.max(40, width - this.gutter - 10);
    const whole = this.top + rows * this.tall + 8;
    this.height = Math.round(Math.min(whole, Math.max(room, 260)));
    this.spacer.style.height = `${whole}px`;
    this.stage.style.height = `${this.height}px`;
    this.band = this.tall < 9 ? Math.max(1, this.tall - (this.tall >= 4 ? 1 : 0)) : Math.max(5, Math.min(13, this.tall * 0.26));
  }
  // Rows of the strip for faults of the network: as many as overlap, up to three.
  strips() {
    const ends = [];
    this.stripOf = this.run.stretches.map((stretch) => {
      let strip = ends.findIndex((end) => end <= stretch.from);
      if (strip < 0) strip = ends.length < 3 ? ends.length : 2;
      ends[strip] = stretch.to;
      return strip;
    });
    return ends.length;
  }
  x(time) { const { view } = this.app; return this.gutter + ((time - view.from) / (view.to - view.from)) * this.inner; }
  time(x) { const { view } = this.app; return view.from + ((x - this.gutter) / this.inner) * (view.to - view.from); }
  y(lane) { return this.top + (this.rowOf[lane] + 0.5) * this.tall - this.stage.scrollTop; }

  draw() {
    const { run, app } = this;
    this.layout();
    drawOverview(fit(this.overview, this.width, OVERVIEW), this.width, OVERVIEW, run, (name) => app.place(name), app.view, this.gutter, app.ended);
    const context = this.context = fit(this.canvas, this.width, this.height);
    context.save();
    context.beginPath();
    context.rect(this.gutter, 0, this.inner + 10, this.height);
    context.clip();
    this.drawGrid(context);
    this.drawFaults(context);
    this.drawRowLines(context);
    this.visible = this.drawMessages(context);
    this.drawBands(context);
    this.drawMarks(context);
    this.drawSelected(context);
    context.restore();
    this.drawAxis(context);
    this.drawNames(context);
    this.tellState();
  }

  drawGrid(context) {
    const { view } = this.app, size = step((view.to - view.from) / this.inner, this.inner < 500 ? 64 : 96);
    context.strokeStyle = colours.grid;
    context.lineWidth = 1;
    context.beginPath();
    for (let at = Math.ceil(view.from / size) * size; at <= view.to; at += size) {
      const x = Math.round(this.x(at)) + 0.5;
      context.moveTo(x, AXIS); context.lineTo(x, this.height);
    }
    context.stroke();
  }
  drawRowLines(context) {
    if (this.tall < 9) return;
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.beginPath();
    for (const lane of this.shown) {
      const y = Math.round(this.y(lane)) + 0.5;
      context.moveTo(this.gutter, y); context.lineTo(this.gutter + this.inner, y);
    }
    context.stroke();
  }
  // Faults of the network: a shade over the lanes that they part, with the letter of each lane's side.
  drawFaults(context) {
    context.font = font(10, 600);
    context.textBaseline = "top";
    this.run.stretches.forEach((stretch) => {
      const left = Math.max(this.gutter, this.x(stretch.from)), right = Math.min(this.gutter + this.inner, this.x(stretch.to));
      if (right < this.gutter || left > this.gutter + this.inner || right - left < 0.3) return;
      const shade = (top, tall, alpha, letter) => {
        context.globalAlpha = alpha;
        context.fillStyle = colours.shade;
        context.fillRect(left, top, Math.max(1, right - left), tall);
        context.globalAlpha = 0.9;
        if (letter && this.tall >= 20 && right - left > 16) label(context, letter, left + 4, top + 3, 20, colours.shade);
        context.globalAlpha = 1;
      };
      if (stretch.sides.length === 0) return shade(this.top, this.height, 0.07);
      stretch.sides.forEach((side, number) => {
        for (const lane of side) {
          if (this.rowOf[lane] < 0) continue;
          shade(this.y(lane) - this.tall / 2, this.tall, number % 2 ? 0.17 : 0.09, String.fromCharCode(65 + (number % 26)));
        }
      });
    });
  }

  // The messages in view, painted; as a density where there are too many to be told apart. Returns how many.
  drawMessages(context) {
    const { messages } = this.run, { view, show } = this.app;
    const first = lowerBound(messages.sent, view.from - this.run.longest), last = lowerBound(messages.sent, view.to);
    const low = -this.tall, high = this.height + this.tall;
    const list = [];
    for (let i = first; i < last; i++) {
      if (this.run.ends[i] < view.from || !this.isShown(i)) continue;
      const a = this.y(messages.from[i]), b = this.y(messages.to[i]);
      if ((a < low && b < low) || (a > high && b > high)) continue;
      list.push(i);
    }
    this.listed = list;
    this.dense = list.length > (show.lines ? Infinity : this.tall < 4 ? 4000 : MANY);
    const chosen = this.cone ? list.filter((i) => this.isLit(i)) : null;
    if (this.dense && !(chosen && chosen.length < MANY)) { if (this.tall >= 4) this.drawDensity(context, list); }
    else if (chosen) {
      if (list.length < 8000) this.drawLines(context, list.filter((i) => !this.isLit(i)), 0.07, false);
      this.drawLines(context, chosen, 0.85, true);
    } else {
      const odd = list.filter((i) => messages.fate[i] !== DELIVERED);
      this.drawLines(context, list, Math.max(0.05, Math.min(0.6, 900 / Math.max(1, list.length - odd.length))), true);
    }
    return list.length;
  }
  isShown(message) {
    const { messages } = this.run, { show } = this.app;
    return show.fates[messages.fate[message]] && show.kinds.has(this.run.messageKind(message))
      && this.rowOf[messages.from[message]] >= 0 && this.rowOf[messages.to[message]] >= 0;
  }
  // Whether a message is what is selected, or in its past or its future.
  isLit(message) {
    const { cone } = this, { selected } = this.app;
    return (selected.what === "message" && selected.which === message) || cone.past.messages[message] || cone.future.messages[message];
  }
  // Where a message ends on the screen. What never arrived ends short of its lane.
  endOf(i) {
    const { messages } = this.run, fate = messages.fate[i];
    const ax = this.x(messages.sent[i]), ay = this.y(messages.from[i]);
    let bx = this.x(this.run.ends[i]), by = this.y(messages.to[i]);
    if (messages.arrived[i] < 0 && fate !== UNDER_WAY) {
      const part = messages.dropped[i] >= 0 ? 0.86 : 0.5;
      if (messages.dropped[i] >= 0) bx = ax + (bx - ax) * part;
      else bx = ax + Math.min(14, Math.abs(bx - ax));
      const reach = Math.min(Math.abs(by - ay) * part, messages.dropped[i] >= 0 ? Infinity : this.tall * (fate === CUT ? 0.32 : 0.5));
      by = ay + Math.sign(by - ay) * reach;
    }
    return [ax, ay, bx, by];
  }
  drawLines(context, list, alpha, signs) {
    const { messages } = this.run;
    const groups = new Map();
    const odd = [];
    for (const i of list) {
      const fate = messages.fate[i];
      const kind = this.run.messageKind(i);
      const release = fate === DELIVERED ? this.run.texts[messages.release[i]] : "";
      const colour = release ? releaseColour(this.app.place(release)) : lineColour(fate);
      const faint = fate === DELIVERED && !release ? (kind === "code" ? 0.5 : 0.4) : 1;
      const key = `${fate} ${colour} ${faint}`;
      let group = groups.get(key);
      if (!group) groups.set(key, group = { fate, lines: [], faint, style: { ...LINES[fate], colour } });
      group.lines.push(...this.endOf(i));
      if (fate !== DELIVERED && fate !== UNDER_WAY) odd.push(i);
    }
    const crowd = Math.max(0.3, Math.min(1, 500 / Math.max(1, odd.length)));
    const ordered = [...groups.values()].sort((a, b) => (a.fate !== DELIVERED) - (b.fate !== DELIVERED) || a.faint - b.faint);
    for (const { fate, lines, faint, style } of ordered) {
      strokeLines(context, lines, style, fate === DELIVERED || !signs ? alpha * faint : Math.max(alpha, 0.85) * crowd);
    }
    if (!signs || odd.length > FEW || this.tall < 9) return;
    context.globalAlpha = crowd;
    for (const i of odd) {
      const [ax, ay, bx, by] = this.endOf(i);
      const back = messages.arrived[i] >= 0 ? Math.min(0.45, (this.band / 2 + 5) / Math.max(1, Math.abs(by - ay))) : 0;
      drawFate(context, messages.fate[i], bx + (ax - bx) * back, by + (ay - by) * back, 3);
    }
    context.globalAlpha = 1;
  }
  // How many messages left each lane, by columns of three pixels; those that met trouble on top.
  drawDensity(context, list) {
    const { messages } = this.run, columns = Math.ceil(this.inner / 3) + 1, rows = this.shown.length;
    const all = new Uint32Array(rows * columns), odd = new Uint32Array(rows * columns);
    let most = 1;
    for (const i of list) {
      const column = Math.floor((this.x(messages.sent[i]) - this.gutter) / 3);
      if (column < 0 || column >= columns) continue;
      const at = this.rowOf[messages.from[i]] * columns + column;
      most = Math.max(most, ++all[at]);
      if (messages.fate[i] !== DELIVERED) odd[at]++;
    }
    const scale = 1 / Math.log2(most + 1), room = Math.max(1, this.tall * 0.42);
    for (let row = 0; row < rows; row++) {
      const base = this.y(this.shown[row]) - (this.tall < 9 ? this.tall / 2 : this.band / 2);
      if (base < this.top - this.tall || base > this.height + this.tall) continue;
      for (let column = 0; column < columns; column++) {
        const count = all[row * columns + column];
        if (!count) continue;
        const x = this.gutter + column * 3, tall = Math.log2(count + 1) * scale * room;
        context.globalAlpha = 0.5;
        context.fillStyle = colours.message;
        context.fillRect(x, base - tall, 2.4, tall);
        const bad = Math.log2(odd[row * columns + column] + 1) * scale * room;
        if (bad) { context.globalAlpha = 0.9; context.fillStyle = OKABE_ITO.vermillion; context.fillRect(x, base - bad, 2.4, bad); }
      }
    }
    context.globalAlpha = 1;
  }

  drawBands(context) {
    const { run, app } = this, half = this.band / 2;
    context.textBaseline = "middle";
    for (const lane of this.shown) {
      const y = this.y(lane);
      if (y < this.top - this.tall || y > this.height + this.tall) continue;
      this.drawHeld(context, lane, y);
      for (const stretch of run.lanes[lane].stretches) {
        const left = Math.max(this.gutter - 4, this.x(stretch.from)), right = Math.min(this.gutter + this.inner + 4, this.x(stretch.to));
        if (right < this.gutter || left > this.gutter + this.inner) continue;
        const wide = Math.max(this.tall < 9 ? 0.5 : 1, right - left);
        context.globalAlpha = 1;
        if (stretch.kind === "release") {
          const place = app.place(stretch.text);
          this.releaseBand(context, left, y, wide, place, app.shortName(stretch.text));
        } else if (stretch.kind === "down" || stretch.kind === "gone") {
          context.fillStyle = colours.bg;
          context.fillRect(left, y - half, wide, this.band);
          hatch(context, left, y - half, wide, this.band, stretch.kind === "gone" ? colours.line : OKABE_ITO.vermillion, 5, 0.8);
          if (this.tall >= 9) { context.strokeStyle = OKABE_ITO.vermillion; context.lineWidth = 1; context.strokeRect(left, y - half + 0.5, wide, this.band - 1); }
        } else if (stretch.kind === "paused") {
          context.fillStyle = colours.bg;
          context.globalAlpha = 0.55;
          context.fillRect(left, y - half, wide, this.band);
          context.globalAlpha = 1;
          for (let x = left + 1; x < left + wide && wide > 3; x += 5) { context.fillStyle = colours.ink; context.globalAlpha = 0.5; context.fillRect(x, y - half, 1.5, this.band); }
          context.globalAlpha = 1;
        } else if (stretch.kind === "switching" && this.tall >= 9) {
          context.strokeStyle = colours.ink;
          context.lineWidth = 2;
          context.strokeRect(left, y - half - 1, Math.max(2, wide), this.band + 2);
        }
      }
    }
  }
  releaseBand(context, left, y, wide, place, name) {
    context.fillStyle = releaseColour(place);
    context.fillRect(left, y - this.band / 2, wide, this.band);
    // A second sign beside the colour: every other release has a line along its band.
    if (place % 2 && this.band >= 5) { context.fillStyle = "#ffffff"; context.globalAlpha = 0.55; context.fillRect(left, y - this.band / 2, wide, 1.5); context.globalAlpha = 1; }
    if (this.band < 9) return;
    context.font = font(Math.min(11, this.band - 1), 600);
    // Behind the sign of the switch that began it.
    label(context, name, left + 12, y + 0.5, wide - 17, releaseInk(place));
  }
  // How many messages wait at the gate: steps below the band, with the most of each time.
  drawHeld(context, lane, y) {
    const { held } = this.run.lanes[lane];
    if (held.length === 0 || this.tall < 18) return;
    const top = y + this.band / 2 + 1, room = this.tall / 2 - this.band / 2 - 3;
    let peak = 0, since = 0;
    for (let i = 0; i < held.length; i++) {
      const [from, count] = held[i], to = i + 1 < held.length ? held[i + 1][0] : this.run.ended;
      if (peak === 0) since = from;
      peak = Math.max(peak, count);
      const left = Math.max(this.gutter, this.x(from)), right = Math.min(this.gutter + this.inner, this.x(to));
      if (count > 0 && right > left) {
        context.fillStyle = OKABE_ITO.orange;
        const tall = Math.max(2, Math.sqrt(count / this.run.heldMost) * room);
        context.fillRect(Math.floor(left), top, Math.max(1, Math.ceil(right) - Math.floor(left)), tall);
      }
      if (count > 0 && i + 1 < held.length) continue;
      if (peak > 0) this.drawPeak(context, peak, since, count > 0 ? to : from, top + room / 2 + 1);
      peak = 0;
    }
  }
  // The most that was held in one go: behind its end, or above the edge where it goes on beyond.
  drawPeak(context, peak, since, until, y) {
    const begin = this.x(since), end = this.x(until), edge = this.gutter + this.inner;
    if (this.tall < 26 || end < this.gutter || begin > edge || end - begin < 2) return;
    const text = `${peak} held`;
    context.font = font(10.5, 600);
    const beyond = end + context.measureText(text).width > edge;
    context.textAlign = beyond ? "right" : "left";
    context.lineWidth = 3;
    context.strokeStyle = colours.bg;
    context.strokeText(text, beyond ? edge - 4 : end + 4, y);
    context.fillStyle = colours.dark ? OKABE_ITO.orange : "#8a5f00";
    context.fillText(text, beyond ? edge - 4 : end + 4, y);
    context.textAlign = "left";
  }

  drawMarks(context) {
    const { marks } = this.run, { view, show, selected } = this.app;
    const first = lowerBound(marks.at, view.from), last = lowerBound(marks.at, view.to + 1);
    const small = [];
    let large = 0;
    this.hits = [];
    for (let i = first; i < last; i++) {
      if (!this.isMarkShown(i)) continue;
      if (GROUPS[this.run.group(i)].small || this.tall < 9) small.push(i); else { this.hits.push(i); large++; }
    }
    const dim = (i) => this.cone && !(this.cone.past.marks[i] || this.cone.future.marks[i] || (selected.what === "mark" && selected.which === i));
    if (this.tall >= 9 && small.length < 4000) {
      context.fillStyle = colours.ink;
      for (const i of small) {
        context.globalAlpha = dim(i) ? 0.08 : 0.5;
        context.fillRect(this.x(marks.at[i]) - 0.5, this.y(marks.lane[i]) - this.band / 2 - 3, 1, 3);
        this.hits.push(i);
      }
    }
    const size = large > 900 ? 2.4 : large > 250 ? 3 : Math.min(4.2, this.tall * 0.1 + 1.6);
    this.drawSigns(context, this.hits.slice(0, large), size, dim);
    for (const i of this.run.violations) this.drawViolation(context, i);
    if (this.matches && show) this.drawMatches(context, first, last);
  }
  // Signs, each where no more telling one stands already; what is dimmed gives way to what is not.
  drawSigns(context, list, size, dim) {
    const { marks } = this.run;
    const rank = (kind) => { const place = FIRST.indexOf(kind); return place < 0 ? FIRST.length : place; };
    const ranked = [];
    for (const i of list) {
      if (marks.lane[i] < 0) this.drawMoment(context, i);
      else if (this.run.markKind(i) !== "violation") ranked.push([dim(i) ? 1 : 0, rank(this.run.markKind(i)), i]);
    }
    ranked.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    const taken = new Set(), drawn = [];
    const cell = size * 2.1;
    for (const [dimmed, , i] of ranked) {
      const lane = marks.lane[i], x = this.x(marks.at[i]), at = Math.round(x / cell);
      if ([at - 1, at, at + 1].some((near) => taken.has(`${lane} ${near}`))) continue;
      taken.add(`${lane} ${at}`);
      drawn.push([dimmed, i, lane, x]);
    }
    for (const [dimmed, i, lane, x] of drawn.reverse()) {
      const kind = this.run.markKind(i), small = ["held", "merged", "incarnation"].includes(kind);
      const now = kind === "committed" && this.run.stretchAt(lane, marks.at[i], "release");
      context.globalAlpha = dimmed ? 0.15 : 1;
      drawSign(context, kind, x, this.y(lane), small ? size * 0.7 : size, now ? releaseColour(this.app.place(now.text)) : undefined);
    }
    context.globalAlpha = 1;
  }
  isMarkShown(mark) {
    const lane = this.run.marks.lane[mark];
    return this.app.show.groups[this.run.group(mark)] && (lane < 0 || this.rowOf[lane] >= 0);
  }
  // A moment of the whole run, such as the end of the safety phase.
  drawMoment(context, mark) {
    if (this.run.markKind(mark) !== "harness") return;
    const x = Math.round(this.x(this.run.marks.at[mark])) + 0.5;
    context.strokeStyle = colours.quiet;
    context.lineWidth = 1;
    context.setLineDash([5, 4]);
    context.beginPath();
    context.moveTo(x, AXIS); context.lineTo(x, this.height);
    context.stroke();
    context.setLineDash([]);
  }
  drawViolation(context, mark) {
    const { marks } = this.run, x = this.x(marks.at[mark]);
    if (x < this.gutter - 12 || x > this.gutter + this.inner) return;
    drawFlag(context, x, AXIS + 2, this.height);
    if (marks.lane[mark] < 0 || this.rowOf[marks.lane[mark]] < 0) return;
    const y = this.y(marks.lane[mark]);
    context.lineWidth = 2.5;
    context.beginPath();
    context.arc(x, y, Math.max(7, this.band), 0, 7);
    context.stroke();
  }
  drawMatches(context, first, last) {
    const { marks, messages } = this.run;
    context.strokeStyle = colours.focus;
    context.lineWidth = 2;
    let room = 600;
    for (const match of this.matches) {
      if (room === 0) break;
      if (match.what === "mark") {
        const i = match.which;
        if (i < first || i >= last || marks.lane[i] < 0 || this.rowOf[marks.lane[i]] < 0) continue;
        context.beginPath();
        context.arc(this.x(marks.at[i]), this.y(marks.lane[i]), 8, 0, 7);
        context.stroke();
      } else {
        const [ax, ay, bx, by] = this.endOf(match.which);
        if (bx < this.gutter || ax > this.gutter + this.inner || !this.isShown(match.which)) continue;
        context.globalAlpha = 0.7;
        context.beginPath();
        context.moveTo(ax, ay); context.lineTo(bx, by);
        context.stroke();
        context.globalAlpha = 1;
      }
      room--;
    }
  }
  drawSelected(context) {
    const { selected } = this.app;
    if (!selected || selected.pane !== this.number) return;
    const { marks, messages } = this.run;
    context.strokeStyle = colours.focus;
    if (this.cone) this.drawCone(context);
    if (selected.what === "mark") {
      const lane = marks.lane[selected.which], x = this.x(marks.at[selected.which]);
      context.lineWidth = 3;
      context.beginPath();
      if (lane >= 0 && this.rowOf[lane] >= 0) context.arc(x, this.y(lane), Math.max(8, this.band * 0.8), 0, 7);
      else { context.moveTo(x, AXIS); context.lineTo(x, this.height); }
      context.stroke();
    } else if (this.rowOf[messages.from[selected.which]] >= 0 && this.rowOf[messages.to[selected.which]] >= 0) {
      const [ax, ay, bx, by] = this.endOf(selected.which);
      strokeLines(context, [ax, ay, bx, by], { colour: colours.bg, width: 7, dash: [] }, 0.9);
      strokeLines(context, [ax, ay, bx, by], { colour: colours.focus, width: 3.5, dash: [] }, 1);
      context.fillStyle = colours.focus;
      for (const [x, y] of [[ax, ay], [bx, by]]) { context.beginPath(); context.arc(x, y, 4, 0, 7); context.fill(); }
    }
  }
  // Of each lane: what is neither past nor future of the selection lies under a veil.
  drawCone(context) {
    const edge = this.gutter + this.inner + 10, rim = this.tall < 9 ? 0 : 2;
    for (const lane of this.shown) {
      const y = this.y(lane), since = this.cone.since[lane], until = this.cone.until[lane];
      const left = since < 0 ? this.gutter : Math.max(this.gutter, this.x(since)), right = until === Infinity ? edge : Math.min(edge, this.x(until));
      if (right <= left) continue;
      context.globalAlpha = 0.66;
      context.fillStyle = colours.bg;
      context.fillRect(left, y - this.band / 2 - rim, right - left, this.band + 2 * rim);
      context.globalAlpha = 1;
    }
  }

  drawAxis(context) {
    const { view } = this.app, size = step((view.to - view.from) / this.inner, this.inner < 500 ? 64 : 96);
    context.fillStyle = colours.panel;
    context.fillRect(0, 0, this.width, this.top - 3);
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.strokeRect(-1, -1, this.width + 2, this.top - 2.5);
    context.font = font(11);
    context.textBaseline = "middle";
    context.textAlign = "center";
    context.fillStyle = colours.quiet;
    for (let at = Math.ceil(view.from / size) * size; at <= view.to; at += size) {
      const x = this.x(at), text = seconds(at, size), half = context.measureText(text).width / 2;
      if (x - half < this.gutter - 6 || x + half > this.width || Math.abs(x - this.x(this.run.safetyEnded)) < 60 + half) continue;
      context.fillText(text, x, AXIS / 2);
    }
    context.textAlign = "left";
    this.drawStrips(context);
  }
  drawStrips(context) {
    const { run } = this, edge = this.gutter + this.inner;
    context.font = font(10.5, 600);
    run.stretches.forEach((stretch, i) => {
      const left = Math.max(this.gutter, this.x(stretch.from)), right = Math.min(edge, this.x(stretch.to));
      if (right <= this.gutter || left >= edge) return;
      const top = AXIS + this.stripOf[i] * STRIP;
      context.globalAlpha = 0.85;
      context.fillStyle = colours.shade;
      context.fillRect(left, top, Math.max(1, right - left), STRIP - 3);
      context.globalAlpha = 1;
      label(context, stretch.text, left + 4, top + STRIP / 2 - 1, right - left - 8, colours.dark ? "#101319" : "#ffffff")
        || label(context, stretch.kind, left + 4, top + STRIP / 2 - 1, right - left - 8, colours.dark ? "#101319" : "#ffffff");
    });
    const x = this.x(run.safetyEnded);
    if (run.safetyEnded < run.ended && x > this.gutter + 60 && x < edge) {
      const room = edge - x > 56;
      context.fillStyle = colours.panel;
      context.fillRect(x - 50, 3, room ? 108 : 54, AXIS - 7);
      context.textAlign = "right";
      context.fillStyle = colours.ink;
      context.fillText("safety", x - 5, AXIS / 2);
      context.textAlign = "left";
      context.fillText("│", x - 2, AXIS / 2);
      if (room) context.fillText("liveness", x + 6, AXIS / 2);
    }
    if (run.stretches.length > 0 && this.gutter > 50) {
      context.textAlign = "right";
      context.font = font(10.5);
      context.fillStyle = colours.quiet;
      context.fillText("network", this.gutter - 8, AXIS + STRIP / 2 - 1);
      context.textAlign = "left";
    }
  }
  drawNames(context) {
    context.fillStyle = colours.bg;
    context.fillRect(0, this.top - 2, this.gutter - 2, this.height);
    context.textBaseline = "middle";
    context.textAlign = "right";
    const every = Math.max(1, Math.ceil(13 / this.tall));
    const { cursor } = this.app;
    this.shown.forEach((lane, row) => {
      if (row % every) return;
      const y = this.y(lane);
      if (y < this.top || y > this.height + 4) return;
      const lit = !this.cone || this.cone.past.lanes.has(lane) || this.cone.future.lanes.has(lane);
      context.globalAlpha = lit ? 1 : 0.4;
      context.font = font(this.tall < 9 ? 10 : 12, this.tall < 9 ? 400 : 600);
      context.fillStyle = colours.ink;
      context.fillText(this.run.lanes[lane].name, this.gutter - 9, y);
      const held = cursor === null ? 0 : this.run.heldAt(lane, cursor);
      if (held > 0 && this.tall >= 30) {
        context.font = font(10);
        context.fillStyle = colours.dark ? OKABE_ITO.orange : "#8a5f00";
        context.fillText(`${held} held`, this.gutter - 9, y + 13);
      }
    });
    context.globalAlpha = 1;
    context.textAlign = "left";
  }
  tellState() {
    const { view } = this.app, size = (view.to - view.from) / 1000;
    let text = `${seconds(view.from, size)} to ${seconds(view.to, size)} (${span(view.to - view.from)}), ${many(this.visible, "message")}`;
    if (this.dense) text += this.tall < 4 ? " not drawn, for rows are too thin: Rows +, or choose nodes in Filter" : " as a density (logarithmic; in colour what did not simply arrive): zoom in for lines";
    if (this.hiddenLanes.size) text += `, ${many(this.hiddenLanes.size, "node")} hidden`;
    if (this.state.textContent !== text) this.state.textContent = text;
  }

  // What lies nearest to a point, within reach of a finger or a mouse.
  under(x, y, reach) {
    const { marks } = this.run;
    if (x < this.gutter || y < this.top - STRIP * 3) return null;
    let best = null, least = reach * reach;
    for (const i of [...(this.hits || []), ...this.run.violations]) {
      const lane = marks.lane[i];
      const dx = this.x(marks.at[i]) - x, dy = lane < 0 ? 0 : this.y(lane) - y;
      // Small ones give way to large ones and to messages.
      const far = (dx * dx + dy * dy) * (GROUPS[this.run.group(i)].small ? 2.5 : lane < 0 ? 6 : 1);
      if (far < least) { least = far; best = { pane: this.number, what: "mark", which: i }; }
    }
    if (this.dense && !this.cone) return best;
    for (const i of this.listed || []) {
      const [ax, ay, bx, by] = this.endOf(i);
      if (Math.min(ax, bx) - reach > x || Math.max(ax, bx) + reach < x) continue;
      const length = (bx - ax) ** 2 + (by - ay) ** 2 || 1;
      const along = Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
      const far = ((ax + along * (bx - ax) - x) ** 2 + (ay + along * (by - ay) - y) ** 2) * (this.run.messages.fate[i] === DELIVERED ? 3 : 2);
      if (far < least) { least = far; best = { pane: this.number, what: "message", which: i }; }
    }
    return best;
  }
}
