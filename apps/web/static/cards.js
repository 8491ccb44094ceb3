// A moment as a card, for answers and for the search.

import { clock, el, picture, range } from "./dom.js";

const CERTAIN = { clear: "clear", likely: "likely", perhaps: "perhaps", "not seen": "weak" };

// The picture of a moment, with a frame around the thing that is claimed.
export const shown = (moment) => {
  const image = picture(moment.picture);
  if (!moment.picture || !moment.box) return el("span", { class: "thumb" }, image);
  const [left, top, right, bottom] = moment.box.map((edge) => 100 * Math.min(1, Math.max(0, edge)));
  return el("span", { class: "thumb" }, el("span", { class: "boxed" }, image,
    el("i", { class: "box", style: `left:${left}%;top:${top}%;width:${right - left}%;height:${bottom - top}%` })));
};

const certainty = (moment) => {
  const word = CERTAIN[moment.sure] || moment.sure;
  return el("span", { class: `sure sure-${word}` }, word);
};

export const card = (page, moment, { rank = 0, cited = false, alike = false, asked = true } = {}) => {
  const span = range(moment.t0_s, moment.t1_s);
  const note = moment.notes?.[0]?.text || moment.said;
  const made = el("button", {
    type: "button", class: `card${cited ? " cited" : ""}`, data: { id: moment.id, stream: moment.stream, t0: moment.t0_s, t1: moment.t1_s },
    "aria-label": `Play ${page.title(moment.stream)}, ${span}${alike ? ", alike" : asked ? `, ${moment.sure}` : ""}`,
    on: { click: () => page.openMoment(moment) },
  },
    shown(moment),
    el("span", { class: "card-body" },
      el("span", { class: "card-row" }, rank ? el("b", { class: "rank" }, `[${rank}]`) : null, el("span", { class: "span" }, (moment.coarse ? "~" : "") + span),
        alike ? el("span", { class: "soft" }, `${Math.round(100 * moment.score)}% alike`) : asked ? certainty(moment) : null),
      el("span", { class: "card-stream" }, page.title(moment.stream)),
      moment.looks_like ? el("span", { class: "looks" }, `Looks like ${moment.looks_like}.`) : null,
      note ? el("span", { class: "said" }, `“${note}”`) : null,
      moment.claimed ? el("span", { class: "warn" }, "only words say so; no picture bears it out") : null,
      moment.imported ? el("span", { class: "warn" }, "from an imported file") : null,
    ));
  return made;
};

// The further times at which a moment's thing was seen.
export const others = (page, moment) => {
  if (!moment.others?.length) return null;
  const links = moment.others.map(([t0, t1], index) => [index ? ", " : "", el("button", {
    type: "button", class: "jump", "aria-label": `Play ${page.title(moment.stream)}, ${range(t0, t1)}`,
    on: { click: () => page.openMoment({ ...moment, t0_s: t0, t1_s: t1 }) },
  }, clock(t0, true))]);
  const more = moment.met > moment.spans.length ? ` (${moment.met} times in all)` : "";
  return el("p", { class: "also" }, "also seen at ", ...links.flat(), more);
};

export const figures = (moment) => el("li", {}, el("span", { class: "soft" }, `${moment.score.toFixed(2)}  `), moment.why);

