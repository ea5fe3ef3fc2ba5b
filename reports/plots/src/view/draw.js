// Paints: colours, bands, messages, marks. Colours are Okabe and Ito's, and nothing is told by colour alone.

const OKABE_ITO = { orange: "#e69f00", sky: "#56b4e9", green: "#009e73", yellow: "#f0e442", blue: "#0072b2", vermillion: "#d55e00", purple: "#cc79a7" };
const RELEASE_COLOURS = [OKABE_ITO.blue, OKABE_ITO.green, OKABE_ITO.purple, OKABE_ITO.orange, OKABE_ITO.sky, OKABE_ITO.vermillion];
// Ink that is readable on each of them.
const RELEASE_INKS = ["#ffffff", "#ffffff", "#1b0b14", "#201500", "#06202f", "#ffffff"];
// By fate: colour, dashes, width.
const LINES = [
  { dash: [], width: 1 },
  { colour: OKABE_ITO.vermillion, dash: [4, 3], width: 1.3 },
  { colour: OKABE_ITO.vermillion, dash: [1.5, 3], width: 1.3 },
  { colour: OKABE_ITO.sky, dash: [2, 2], width: 1.2 },
  { colour: OKABE_ITO.orange, dash: [9, 3], width: 1.6 },
  { colour: OKABE_ITO.purple, dash: [], width: 1.8 },
  { colour: OKABE_ITO.yellow, dark: "#8a7a00", dash: [6, 2, 1.5, 2], width: 1.6 },
  { dash: [1, 4], width: 1 },
];
const SEGMENTS_MAX = 400;

let colours = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["bg", "panel", "ink", "quiet", "line", "grid", "focus", "bad", "message", "shade"];
  colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colours.bg.slice(at, at + 2), 16));
  colours.dark = r + g + b < 384;
  colours.font = getComputedStyle(document.body).fontFamily;
}
function font(size, weight = 400) { return `${weight} ${size}px ${colours.font}`; }

function releaseColour(place) { return RELEASE_COLOURS[place % RELEASE_COLOURS.length]; }
function releaseInk(place) { return RELEASE_INKS[place % RELEASE_INKS.length]; }
function lineColour(fate) {
  const line = LINES[fate];
  return line.colour ? (!colours.dark && line.dark) || line.colour : colours.message;
}

// A canvas for `width` by `height` points, sharp on any screen.
function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; canvas.style.height = `${height}px`; }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

// Lines [x1, y1, x2, y2, ...] in paths of bounded length: one path of all would be slow.
function strokeLines(context, list, style, alpha) {
  context.globalAlpha = alpha;
  context.strokeStyle = style.colour;
  context.lineWidth = style.width;
  context.setLineDash(style.dash);
  for (let start = 0; start < list.length; start += 4 * SEGMENTS_MAX) {
    context.beginPath();
    const end = Math.min(list.length, start + 4 * SEGMENTS_MAX);
    for (let i = start; i < end; i += 4) { context.moveTo(list[i], list[i + 1]); context.lineTo(list[i + 2], list[i + 3]); }
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

// The sign at the end of a message that did not simply arrive.
function drawFate(context, fate, x, y, size) {
  context.strokeStyle = context.fillStyle = lineColour(fate);
  context.lineWidth = 1.6;
  context.beginPath();
  if (fate === LOST) { context.moveTo(x - size, y - size); context.lineTo(x + size, y + size); context.moveTo(x + size, y - size); context.lineTo(x - size, y + size); context.stroke(); }
  else if (fate === CUT) { context.moveTo(x - size, y); context.lineTo(x + size, y); context.stroke(); }
  else if (fate === DUPLICATED) { context.arc(x - 1.5, y, size * 0.8, 0, 7); context.moveTo(x + 1.5 + size * 0.8, y); context.arc(x + 1.5, y, size * 0.8, 0, 7); context.stroke(); }
  else if (fate === HELD) { context.rect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8); context.fill(); }
  else if (fate === CONVERTED) { context.moveTo(x, y - size * 1.3); context.lineTo(x + size * 1.3, y); context.lineTo(x, y + size * 1.3); context.lineTo(x - size * 1.3, y); context.closePath(); context.fill(); }
  else if (fate === CORRUPTED) { context.moveTo(x, y - size * 1.2); context.lineTo(x + size * 1.2, y + size); context.lineTo(x - size * 1.2, y + size); context.closePath(); context.fill(); context.strokeStyle = colours.ink; context.lineWidth = 1; context.stroke(); }
}

// What happened at a moment: a sign on its lane. `ink` is for what has no colour of its own.
const SIGNS = {
  command: { colour: "ink", name: "a release is published", draw(c, x, y, s) { star(c, x, y, s * 1.7); c.fill(); } },
  fetched: { colour: "ink", name: "has the code", draw(c, x, y, s) { c.moveTo(x - s, y - s); c.lineTo(x + s, y - s); c.lineTo(x, y + s); c.closePath(); c.fill(); } },
  staged: { colour: "ink", name: "dry run passed", draw(c, x, y, s) { c.rect(x - s * 0.8, y - s * 0.8, s * 1.6, s * 1.6); c.stroke(); } },
  prepared: { colour: "ink", name: "about to switch", draw(c, x, y, s) { c.moveTo(x, y - s * 1.2); c.lineTo(x + s * 1.2, y); c.lineTo(x, y + s * 1.2); c.lineTo(x - s * 1.2, y); c.closePath(); c.stroke(); } },
  committed: { colour: "ink", name: "switched", draw(c, x, y, s) { c.moveTo(x, y - s * 1.3); c.lineTo(x + s * 1.3, y); c.lineTo(x, y + s * 1.3); c.lineTo(x - s * 1.3, y); c.closePath(); c.fill(); } },
  quarantined: { colour: "vermillion", name: "quarantined", draw(c, x, y, s) { c.arc(x, y, s * 1.2, 0, 7); c.moveTo(x - s * 0.8, y + s * 0.8); c.lineTo(x + s * 0.8, y - s * 0.8); c.stroke(); } },
  crashed: { colour: "vermillion", name: "crashes", draw(c, x, y, s) { c.lineWidth = 2.4; c.moveTo(x - s, y - s); c.lineTo(x + s, y + s); c.moveTo(x + s, y - s); c.lineTo(x - s, y + s); c.stroke(); } },
  recovered: { colour: "green", name: "is up again", draw(c, x, y, s) { c.moveTo(x - s * 0.8, y - s); c.lineTo(x + s, y); c.lineTo(x - s * 0.8, y + s); c.closePath(); c.fill(); } },
  paused: { colour: "ink", name: "stands still", draw(c, x, y, s) { c.lineWidth = 2; c.moveTo(x - s * 0.5, y - s); c.lineTo(x - s * 0.5, y + s); c.moveTo(x + s * 0.5, y - s); c.lineTo(x + s * 0.5, y + s); c.stroke(); } },
  held: { colour: "orange", name: "a message is held", draw(c, x, y, s) { c.arc(x, y, s * 0.6, 0, 7); c.fill(); } },
  drained: { colour: "orange", name: "held messages delivered", draw(c, x, y, s) { c.arc(x, y, s * 0.9, 0, 7); c.stroke(); } },
  nacked: { colour: "vermillion", name: "not delivered", draw(c, x, y, s) { c.moveTo(x - s, y); c.lineTo(x + s, y); c.moveTo(x, y - s); c.lineTo(x, y + s); c.stroke(); } },
};
// Where signs would cover each other, the earlier of these is shown.
const FIRST = ["crashed", "left", "quarantined", "committed", "command", "nacked", "not-delivered", "forged", "conflict", "prepared", "recovered", "paused", "resumed", "held", "drained", "staged", "fetched"];
SIGNS.left = SIGNS.crashed;
SIGNS["not-delivered"] = SIGNS["bad-code"] = SIGNS.forged = SIGNS.faulted = SIGNS.conflict = SIGNS.nacked;
SIGNS.resumed = SIGNS.recovered;
const PLAIN = { colour: "ink", draw(c, x, y, s) { c.arc(x, y, s * 0.5, 0, 7); c.fill(); } };

function star(context, x, y, size) {
  for (let i = 0; i < 10; i++) {
    const angle = Math.PI * (i / 5 - 0.5), radius = i % 2 ? size * 0.45 : size;
    context[i ? "lineTo" : "moveTo"](x + Math.cos(angle) * radius, y + Math.sin(angle) * radius);
  }
  context.closePath();
}
// A sign has a rim of the background, so that it shows on any band.
function drawSign(context, kind, x, y, size, own) {
  const sign = SIGNS[kind] || PLAIN;
  const colour = own || OKABE_ITO[sign.colour] || colours[sign.colour];
  context.beginPath();
  context.arc(x, y, size * 1.55, 0, 7);
  context.fillStyle = colours.bg;
  context.globalAlpha *= 0.92;
  context.fill();
  context.globalAlpha /= 0.92;
  context.lineWidth = 1.6;
  context.strokeStyle = context.fillStyle = colour;
  context.beginPath();
  sign.draw(context, x, y, size);
}
function drawFlag(context, x, top, bottom) {
  context.strokeStyle = context.fillStyle = OKABE_ITO.vermillion;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x, top); context.lineTo(x, bottom);
  context.stroke();
  context.beginPath();
  context.moveTo(x, top); context.lineTo(x + 11, top + 5); context.lineTo(x, top + 10);
  context.closePath();
  context.fill();
}

// Slanted lines, for what is not there.
function hatch(context, x, y, width, height, colour, step, alpha = 1) {
  context.save();
  context.globalAlpha *= alpha;
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  for (let at = x - height - ((x - height) % step); at < x + width; at += step) { context.moveTo(at, y + height); context.lineTo(at + height, y); }
  context.stroke();
  context.restore();
}

// Text where there is room for it, and nothing where there is none. True: it was written.
function label(context, text, x, y, room, colour) {
  if (context.measureText(text).width > room) return false;
  context.fillStyle = colour;
  context.fillText(text, x, y);
  return true;
}

// Steps of a scale: 1, 2 or 5 times a power of ten, about `wanted` pixels apart.
function step(nanosPerPixel, wanted) {
  const least = nanosPerPixel * wanted, power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((times) => times * power).find((size) => size >= least);
}

// The share of nodes at each release over the whole run, with the stretch of time that is shown.
function drawOverview(context, width, height, run, place, view, gutter, ended) {
  const inner = width - gutter - 10, lanes = Math.max(run.lanes.length, 1), top = 6, tall = height - 12;
  const at = (time) => gutter + (time / ended) * inner;
  const counts = run.releases.map(() => new Float64Array(Math.ceil(inner) + 2));
  for (const lane of run.lanes) {
    for (const stretch of lane.stretches) {
      if (stretch.kind !== "release") continue;
      const column = counts[run.releases.indexOf(stretch.text)];
      column[Math.round(at(stretch.from) - gutter)]++;
      column[Math.min(column.length - 1, Math.round(at(stretch.to) - gutter))]--;
    }
  }
  context.fillStyle = colours.grid;
  context.fillRect(gutter, top, inner, tall);
  const sums = counts.map(() => 0);
  for (let x = 0; x <= inner; x++) {
    let y = top + tall;
    counts.forEach((column, release) => {
      sums[release] += column[x];
      const part = (sums[release] / lanes) * tall;
      context.fillStyle = releaseColour(place(run.releases[release]));
      context.fillRect(gutter + x, y - part, 1.02, part);
      y -= part;
    });
  }
  context.font = font(10.5);
  context.fillStyle = colours.quiet;
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.fillText("nodes", gutter - 8, height / 2);
  context.textAlign = "left";
  for (const violation of run.violations) drawFlag(context, at(run.marks.at[violation]), 1, height - 2);
  // What is not shown is veiled.
  const [left, right] = [at(view.from), at(view.to)].map((x) => Math.max(gutter, Math.min(gutter + inner, x)));
  context.globalAlpha = 0.62;
  context.fillStyle = colours.bg;
  context.fillRect(gutter, 0, left - gutter, height);
  context.fillRect(right, 0, gutter + inner - right, height);
  context.globalAlpha = 1;
  context.strokeStyle = colours.ink;
  context.lineWidth = 1.5;
  context.strokeRect(left, 2, Math.max(2, right - left), height - 4);
}
