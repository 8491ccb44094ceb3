// Small drawings: stacked bars over time, a bar of shares. Their words stand beside them for who cannot see them.

import { clock, el } from "./dom.js";
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
