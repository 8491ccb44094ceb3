// Small drawings: stacked bars over time, a bar of shares. Their words stand beside them for who cannot see them.

import { clock, el, lasting } from "./dom.js";
import { LEVELS } from "./player.js";

const NS = "http://www.w3.org/2000/svg";
export const LEVEL_NAMES = ["full", "small", "vectors", "signs", "words"];

const svg = (tag, values, text) => {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(values)) made.setAttribute(name, value);
  if (text) { const title = document.createElementNS(NS, "title"); title.textContent = text; made.append(title); }
  return made;
};

// Bytes held of each part of a stream's time, stacked by level.
export const timeline = ({ t0, t1, bins }, most, { onPick } = {}) => {
  const drawn = svg("svg", { viewBox: `0 0 ${bins.length} 40`, preserveAspectRatio: "none", class: "timeline", role: "img" });
  bins.forEach((levels, index) => {
    let top = 40;
    levels.forEach((count, level) => {
      if (!count) return;
      const height = (38 * count) / Math.max(1, most);
      top -= height;
      const from = t0 + ((t1 - t0) * index) / bins.length;
      drawn.append(svg("rect", { x: index + 0.08, y: top, width: 0.84, height, class: `level-${LEVEL_NAMES[level]}` }, `${clock(from)}: ${Math.round(count / 1000)} kB, ${LEVELS[LEVEL_NAMES[level]]}`));
    });
  });
  if (onPick) drawn.addEventListener("click", (event) => {
    const box = drawn.getBoundingClientRect();
    onPick(t0 + ((t1 - t0) * (event.clientX - box.left)) / box.width);
  });
  return drawn;
};

// Parts of a whole as one bar, with its key below.
export const shares = (parts, whole, label) => {
  const shown = parts.filter((part) => part.value > 0);
  return el("div", { class: "shares" },
    el("div", { class: "shares-bar", role: "img", "aria-label": label }, ...shown.map((part) => el("i", { class: part.kind, style: `width:${(100 * part.value) / whole}%`, title: `${part.name}: ${part.told}` }))),
    el("ul", { class: "key" }, ...shown.map((part) => el("li", {}, el("i", { class: part.kind }), part.name, el("span", { class: "soft" }, ` ${part.told}`)))));
};

// Shares of what was watched, by its age: what is held as an area, what is found as lines; dashed with another budget.
export const ages = (rows, then = null) => {
  const oldest = rows.at(-1)?.to_s || 1;
  const x = (row) => (100 * (row.from_s + row.to_s)) / 2 / oldest;
  const y = (share) => 40 - 38 * share;
  const drawn = svg("svg", { viewBox: "0 0 100 40", preserveAspectRatio: "none", class: "ages", role: "img", "aria-label": agesInWords(rows, then) });
  const line = (own, kind, of) => {
    const known = own.filter((row) => of(row) !== null);
    if (!known.length) return;
    const points = known.map((row) => `${x(row).toFixed(2)},${y(of(row)).toFixed(2)}`);
    drawn.append(svg("polyline", { points: [`0,${points[0].split(",")[1]}`, ...points, `100,${points.at(-1).split(",")[1]}`].join(" "), class: kind }));
  };
  const watched = rows.filter((row) => row.watched_s > 0);
  if (watched.length) drawn.append(svg("polygon", { class: "ages-held", points: `0,40 0,${y(watched[0].held)} ${watched.map((row) => `${x(row)},${y(row.held)}`).join(" ")} 100,${y(watched.at(-1).held)} 100,40` }));
  line(rows, "ages-five", (row) => row.found?.["5"] ?? null);
  line(rows, "ages-first", (row) => row.found?.["1"] ?? null);
  if (then) line(then, "ages-then", (row) => row.found?.["1"] ?? null);
  const key = (kind, told) => el("li", {}, el("i", { class: kind }), told);
  return el("div", { class: "ages-chart" },
    el("div", { class: "ages-frame" }, el("span", { class: "ages-scale" }, el("span", {}, "100%"), el("span", {}, "50%"), el("span", {}, "0")), drawn),
    el("div", { class: "ages-ages" }, el("span", {}, "newest"), el("span", {}, `${lasting(oldest / 2)} old`), el("span", {}, `${lasting(oldest)} old`)),
    el("ul", { class: "key" }, key("key-held", "held"), key("key-five", "found among the first five"), key("key-first", "found first"), then ? key("key-then", "found first, with the other budget") : null));
};

const percent = (share) => `${Math.round(100 * share)}%`;
const agesInWords = (rows, then) => [...rows.entries()].filter(([, row]) => row.found).map(([index, row]) =>
  `${lasting(row.from_s)} to ${lasting(row.to_s)} old: ${percent(row.found["1"])} found first${then?.[index]?.found ? `, ${percent(then[index].found["1"])} with the other budget` : ""}`).join("; ");
