// The event strip of the stream that is shown: entries as thumbnails, lanes for moments, words, things and change.

import { clock, debounced, el, iconButton, isDate, range } from "./dom.js";
import { get } from "./net.js";

const THUMB_PX = 92;
const LEAST_S = 4;
// Of a camera the last two hours are shown first. A pause of more than this between looks is shown as one.
const RECENT_S = 7200;
const PAUSE_S = 4;
const NOTHING = { entries: [], notes: [], visits: [], change: [], lost: [], looked: [] };
const PICTURED = new Set(["full", "small"]);
const KINDS = { screen: "read", speech: "said", subtitle: "subtitle", chapter: "chapter", mark: "mark" };

export class Strip {
  constructor(player) {
    this.player = player;
    this.key = null;
    this.found = NOTHING;
    this.from = 0;
    this.to = 1;
    this.track = el("div", {
      class: "track", tabIndex: 0, role: "slider", "aria-label": "Position in the video", "aria-valuemin": 0,
      on: {
        pointerdown: (event) => this.down(event), pointermove: (event) => this.hover(event), pointerleave: () => this.preview(null),
        keydown: (event) => this.keyed(event),
      },
    });
    this.track.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.head = el("i", { class: "playhead" });
    this.tip = el("div", { class: "strip-tip", hidden: true });
    this.scale = el("div", { class: "strip-scale" });
    this.told = el("span", { class: "soft" });
    this.key_ = el("ul", { class: "key strip-key" });
    const all = iconButton("stop", "The whole of it", () => this.whole());
    all.replaceChildren("all");
    this.element = el("section", { class: "strip", "aria-label": "Events of this stream" },
      el("div", { class: "strip-bar" }, this.told, el("span", { class: "gap" }), iconButton("add", "Closer", () => this.zoom(0.5)), all),
      this.track, this.scale, this.key_, this.tip);
    this.fetchSoon = debounced(() => this.fetch(), 180);
    new ResizeObserver(() => this.draw()).observe(this.track);
  }

  async open(key, { start, end }) {
    this.key = key;
    [this.start, this.end] = [start, Math.max(end, start + LEAST_S)];
    [this.from, this.to] = [isDate(start) ? Math.max(start, this.end - RECENT_S) : start, this.end];
    this.found = NOTHING;
    this.draw();
    await this.fetch();
  }

  reload() { return this.fetch(); }

  // A camera's stream has grown: what shows its end goes on doing so.
  extend(end) {
    if (!this.key || end <= this.end) return;
    const by = this.to >= this.end - 1 ? end - this.end : 0;
    this.end = end;
    if (!by) return;
    this.to = end;
    if (this.from > this.start || (isDate(end) && this.to - this.from > RECENT_S)) this.from += by;
    this.draw();
    this.fetchSoon();
  }

  async fetch() {
    const key = this.key;
    try {
      const found = await get(`strip/${key}`, { t0: this.from, t1: this.to });
      if (key !== this.key) return;
      this.found = found;
      this.draw();
      this.player.stripRead();
    } catch { /* the stream is gone; the player says so */ }
  }

  // What a moment of the strip is to the player.
  moment(entry) {
    const hasPicture = PICTURED.has(entry.level);
    return { id: entry.id, stream: this.player.view.name, t0_s: entry.t0, t1_s: entry.t1, frame_s: entry.frame, picture: hasPicture ? entry.id : "", hasPicture };
  }

  moments() { return this.found.entries.map((entry) => this.moment(entry)); }

  entryAt(time) {
    let best = null;
    for (const entry of this.found.entries) {
      const away = time < entry.t0 ? entry.t0 - time : time >= entry.t1 ? time - entry.t1 : 0;
      if (!best || away < best.away || away === 0) best = { away, entry };  // of two that meet there, the later
    }
    return best && best.away < 30 ? this.moment(best.entry) : null;
  }

  isPinned(id) { return this.found.entries.some((entry) => entry.id === id && entry.pinned); }

  share(time) { return ((time - this.from) / (this.to - this.from)) * 100; }

  block(t0, t1, kind, title, data = {}) {
    const left = Math.max(0, this.share(t0));
    const width = Math.max(0.25, Math.min(100, this.share(t1)) - left);
    return el("i", { class: kind, style: `left:${left.toFixed(3)}%;width:${width.toFixed(3)}%`, data: { tip: title, ...data } });
  }

  draw() {
    if (!this.key) return;
    const { entries, notes, visits, change, lost, looked, total } = this.found;
    const { footage } = this.player;
    const inside = (t0, t1) => t1 >= this.from && t0 <= this.to;
    const most = Math.max(0.05, ...change.map(([, surprise]) => surprise));
    const lanes = [
      el("div", { class: "lane thumbs" }, ...this.thumbs()),
      el("div", { class: "lane held", title: "What is held" },
        ...entries.filter((e) => inside(e.t0, e.t1)).map((e) => this.block(e.t0, e.t1, `held-${e.level}${e.pinned ? " pinned" : ""}`, "")),
        ...lost.filter((l) => inside(l.t, l.t)).map((l) => this.block(l.t, l.t, "held-lost", l.how))),
      el("div", { class: "lane words", data: { name: "words" } }, ...notes.filter((n) => inside(n.t0, n.t1)).map((n) => this.block(n.t0, n.t1, `note-${n.kind}`, `${KINDS[n.kind] || n.kind}: ${n.text}`))),
      el("div", { class: "lane things", data: { name: "things" } }, ...visits.filter((v) => inside(v.t0, v.t1)).map((v) => this.block(v.t0, v.t1, v.label === "person" ? "visit-person" : "visit-thing", v.label))),
      el("div", { class: "lane change", data: { name: "change" } }, ...change.filter(([t]) => inside(t, t)).map(([t, surprise]) =>
        el("i", { style: `left:${this.share(t).toFixed(3)}%;height:${Math.round((100 * surprise) / most)}%` }))),
    ];
    const filmed = (footage?.info.footage || []).filter(([t0, t1]) => inside(t0, t1));
    if (footage?.key) lanes.splice(1, 0, el("div", { class: "lane footage", data: { name: "footage" } }, ...filmed.map(([t0, t1]) => this.block(t0, t1, "filmed", "footage can be played"))));
    const pauses = looked.slice(1).map(([t0], index) => [looked[index][1], t0]).filter(([t0, t1]) => t1 - t0 > PAUSE_S && inside(t0, t1));
    const unlooked = el("div", { class: "lane unlooked" }, ...pauses.map(([t0, t1]) => this.block(t0, t1, "pause", `nobody looked, ${range(t0, t1)}`)));
    this.marks = el("div", { class: "lane marks" });
    this.track.replaceChildren(...lanes, unlooked, this.marks, this.head);
    this.mark();
    this.ticks();
    this.drawKey(filmed.length, pauses.length);
    this.place(this.player.time());
    this.told.textContent = total === undefined ? "" : `${total} ${total === 1 ? "event" : "events"}${this.zoomed() ? ` in ${range(this.from, this.to)}` : ""}`;
    this.track.setAttribute("aria-valuemax", String(Math.round(this.end)));
  }

  // What the lanes show, of those that show something.
  drawKey(filmed, pauses) {
    const { notes, visits, lost } = this.found;
    const parts = [
      filmed && ["filmed", "footage"], pauses && ["pause", "nobody looked"], ["held-full", "held"], lost.length && ["held-lost", "given up"],
      notes.some((n) => n.kind === "screen") && ["note-screen", "read"], notes.some((n) => n.kind !== "screen") && ["note-speech", "said"],
      visits.some((v) => v.label === "person") && ["visit-person", "people"], visits.some((v) => v.label !== "person") && ["visit-thing", "things"], ["key-new", "how new"],
    ].filter(Boolean);
    this.key_.replaceChildren(...parts.map(([kind, told]) => el("li", {}, el("i", { class: kind }), told)));
  }

  zoomed() { return this.from > this.start + 0.5 || this.to < this.end - 0.5; }

  // As many thumbnails as have room, each where its picture was seen.
  thumbs() {
    const room = Math.max(1, Math.floor((this.track.clientWidth || 400) / THUMB_PX));
    const pictured = this.found.entries.filter((entry) => PICTURED.has(entry.level) && entry.t1 >= this.from && entry.t0 <= this.to);
    const made = [];
    for (let place = 0; place < room; place++) {
      const [t0, t1] = [this.from + ((this.to - this.from) * place) / room, this.from + ((this.to - this.from) * (place + 1)) / room];
      const middle = (t0 + t1) / 2;
      const own = pictured.filter((entry) => entry.frame >= t0 && entry.frame < t1 || (entry.t0 < t1 && entry.t1 > t0));
      own.sort((a, b) => Math.abs(a.frame - middle) - Math.abs(b.frame - middle));
      const style = `left:${(100 * place) / room}%;width:calc(${100 / room}% - 2px)`;
      made.push(own.length ? el("img", { src: `hippocam/picture/${own[0].id}`, alt: "", draggable: false, loading: "lazy", style, data: { t: own[0].frame } })
        : el("span", { class: "no-thumb", style }));
    }
    return made;
  }

  // The moments of the answer or the search in this stream, and the one that is shown.
  mark() {
    if (!this.marks) return;
    const { moments, view, moment } = this.player;
    const own = moments.filter((one) => one.stream === view?.name && one.t1_s >= this.from && one.t0_s <= this.to);
    const shown = moment && moment.t1_s > moment.t0_s ? [this.block(moment.t0_s, moment.t1_s, "shown", "")] : [];
    this.marks.replaceChildren(...shown, ...own.map((one) => this.block(one.t0_s, one.t1_s, "mark-of", range(one.t0_s, one.t1_s))));
  }

  ticks() {
    const steps = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 604800];
    const step = steps.find((each) => (this.to - this.from) / each <= 6) || 2592000;
    const made = [];
    for (let time = Math.ceil(this.from / step) * step; time <= this.to; time += step)
      if (this.share(time) <= 97) made.push(el("span", { style: `left:${this.share(time)}%` }, isDate(time) ? (step < 86400 ? clock(time).split(" ").pop().slice(0, step < 60 ? 8 : 5) : new Date(time * 1000).toLocaleDateString(undefined, { day: "2-digit", month: "short" })) : clock(time)));
    this.scale.replaceChildren(...made);
  }

  place(time) {
    if (!Number.isFinite(time)) { this.head.hidden = true; return; }
    const share = this.share(time);
    this.head.hidden = share < 0 || share > 100;
    this.head.style.left = `${share}%`;
    this.track.setAttribute("aria-valuenow", String(Math.round(time)));
    this.track.setAttribute("aria-valuetext", clock(time));
  }

  timeOf(event) {
    const box = this.track.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    return this.from + share * (this.to - this.from);
  }

  set(from, to) {
    const length = Math.min(this.end - this.start, Math.max(LEAST_S, to - from));
    const first = Math.min(Math.max(this.start, from), this.end - length);
    [this.from, this.to] = [first, first + length];
    this.draw();
    this.fetchSoon();
  }

  zoom(by, at = this.player.time()) {
    const middle = Number.isFinite(at) && at >= this.from && at <= this.to ? at : (this.from + this.to) / 2;
    const left = (middle - this.from) * by;
    this.set(middle - left, middle - left + (this.to - this.from) * by);
  }

  whole() { this.set(this.start, this.end); }

  wheel(event) {
    event.preventDefault();
    const length = this.to - this.from;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const by = (length * (event.deltaX || event.deltaY)) / 800;
      return this.set(this.from + by, this.to + by);
    }
    this.zoom(Math.exp(Math.min(300, Math.max(-300, event.deltaY)) / 320), this.timeOf(event));
  }

  down(event) {
    if (event.button) return;
    const [x, from, to, width] = [event.clientX, this.from, this.to, this.track.clientWidth];
    this.track.setPointerCapture(event.pointerId);
    let dragged = false;
    const move = (now) => {
      if (!dragged && Math.abs(now.clientX - x) < 6) return;
      dragged = true;
      const by = ((x - now.clientX) / width) * (to - from);
      this.set(from + by, to + by);
    };
    const up = (now) => {
      this.track.removeEventListener("pointermove", move);
      if (!dragged) this.seek(this.timeOf(now));
    };
    this.track.addEventListener("pointermove", move);
    this.track.addEventListener("pointerup", up, { once: true });
  }

  seek(time) {
    const entry = this.entryAt(time);
    const inside = entry && entry.t0_s <= time && time < entry.t1_s;
    const { player } = this;
    player.moment = inside ? entry : { stream: player.view.name, t0_s: time, t1_s: time };
    player.bounded = false;
    player.caption();
    this.mark();
    player.moveTo(time);
    this.place(time);
    player.noteTime();
  }

  hover(event) {
    const box = this.track.getBoundingClientRect();
    const time = this.timeOf(event);
    const tip = event.target.dataset?.tip;
    this.preview(time, ((event.clientX - box.left) / box.width) * 100, tip);
  }

  preview(time, share, tip) {
    this.tip.hidden = time === null;
    if (time === null) return;
    const entry = this.entryAt(time);
    const picture = entry?.hasPicture ? el("img", { src: `hippocam/picture/${entry.id}`, alt: "" }) : null;
    this.tip.replaceChildren(...[picture, el("strong", {}, clock(time, true)), tip ? el("span", {}, tip) : null].filter(Boolean));
    this.tip.style.left = `${Math.min(82, Math.max(18, share))}%`;
  }

  keyed(event) {
    const now = this.player.time() || this.from;
    const by = event.shiftKey ? 30 : 5;
    const does = {
      ArrowLeft: () => this.seek(Math.max(this.start, now - by)), ArrowRight: () => this.seek(Math.min(this.end, now + by)),
      Home: () => this.seek(this.start), End: () => this.seek(this.end), "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
      0: () => this.whole(), Enter: () => this.player.play(),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    event.stopPropagation();
    does();
  }
}
