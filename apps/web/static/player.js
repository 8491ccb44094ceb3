// The docked player: one stream, one moment of it, and the strip below. It stays while views come and go.

import { button, clock, debounced, el, icon, iconButton, isDate, lasting, range } from "./dom.js";
import { get, post } from "./net.js";
import { attempt, failed, notice, show } from "./notices.js";
import { address, go, linkTo, noteAt, on, visitor } from "./state.js";
import { Strip } from "./strip.js";
import { Footage } from "./footage.js";

const NEAR_S = 0.3;

export class Player {
  constructor(page) {
    this.page = page;
    this.view = null;
    this.moment = null;
    this.moments = [];  // those of the answer or the search that is shown, for [ and ]
    this.wanted = null;
    this.turn = 0;
    this.broken = new Set();
    this.loop = false;
    this.bounded = false;
    this.origin = 0;  // the stream's time at which what is played begins
    this.build();
    this.footage = new Footage(this);
    on("held", () => this.grown());
  }

  build() {
    this.video = el("video", { class: "video", controls: true, playsInline: true, preload: "metadata", hidden: true });
    this.image = el("img", { class: "still", alt: "", hidden: true });
    this.note = el("p", { class: "stage-note", role: "status", hidden: true });
    this.noteAction = el("div", { class: "stage-action", hidden: true });
    this.strip = new Strip(this);
    this.names = el("div", { class: "dock-names" });
    this.loopButton = iconButton("loop", "Loop this moment (l)", () => this.setLoop(!this.loop), { "aria-pressed": "false" });
    this.pinButton = iconButton("pin", "Keep this moment whatever comes", () => this.pin());
    this.actions = el("div", { class: "dock-actions" },
      iconButton("previous", "Moment before ([)", () => this.step(-1)),
      iconButton("play", "Play this moment to its end (Enter)", () => this.play()),
      iconButton("next", "Next moment (])", () => this.step(1)),
      this.loopButton, el("span", { class: "gap" }),
      this.pinButton,
      iconButton("why", "Why is it held?", () => this.why(), { kind: "spare" }),
      iconButton("like", "More like this", () => this.like(), { kind: "spare" }),
      iconButton("cut", "Download this moment as a clip", () => this.clip(), { kind: "spare" }),
      iconButton("link", "Copy the link to this moment", () => this.copy()),
    );
    this.element = el("aside", { class: "dock", "aria-label": "Player", hidden: true },
      el("div", { class: "stage" }, this.video, this.image, el("div", { class: "stage-foot" }, this.note, this.noteAction)),
      el("div", { class: "dock-head" }, this.names, this.actions),
      this.strip.element,
      this.told = el("section", { class: "moment-told", "aria-live": "polite", "aria-label": "What is held of this moment" }),
    );
    this.tellSoon = debounced(() => this.tell(), 250);
    const video = this.video;
    video.addEventListener("loadedmetadata", () => (video.videoWidth ? this.ready() : this.unplayable()));
    video.addEventListener("error", () => {
      if (video.error?.code === MediaError.MEDIA_ERR_NETWORK) this.say("The connection to the server was lost.");
      else this.unplayable();
    });
    video.addEventListener("timeupdate", () => this.moved());
    video.addEventListener("seeked", () => this.noteTime());
    video.addEventListener("pause", () => this.noteTime());
    video.addEventListener("play", () => { this.bounded = this.bounded && this.within(); });
    this.image.addEventListener("error", () => { this.image.hidden = true; });
  }

  // Goes where the address says. What is there already is left as it is.
  async follow({ s, t }) {
    const name = s || this.view?.name || this.page.held.streams[0]?.id;
    const wanted = this.wanted;
    this.wanted = null;
    if (!name) { this.element.hidden = true; return; }
    const turn = ++this.turn;
    const found = this.page.stream(name);
    if ((found?.id || name) !== this.view?.name) {
      if (!found) {
        notice(`There is no stream ${name} in this memory.`, { kind: "bad" });
        return this.page.held.streams.length ? go({ s: "", t: "" }, { replace: true }) : undefined;
      }
      try {
        const view = await get(`stream/${found.key}`);
        if (turn !== this.turn) return;
        this.loading = this.load(view);
        await this.loading;
      } catch (error) { return failed(error); }
    } else {
      await this.loading?.catch(() => {});  // which an earlier call began
    }
    if (turn !== this.turn) return;
    if (wanted) return this.goTo(wanted, wanted.play);
    const time = t === undefined ? null : Number(t);
    if (time === null && !this.moment && !this.footage.shown) this.footage.newest();
    if (time !== null && Number.isFinite(time) && Math.abs(time - this.time()) > NEAR_S)
      this.goTo({ stream: name, t0_s: time, t1_s: time }, false);
  }

  async load(view) {
    this.view = view;
    this.moment = null;
    this.pending = null;
    this.origin = view.begins_s;
    this.footage.close();
    this.element.hidden = false;
    this.caption();
    const found = this.page.stream(view.name) || {};
    this.strip.open(view.key, { start: view.begins_s || (found.t0_s > 1e9 ? found.t0_s : 0), end: Math.max(view.duration_s, found.t1_s || 0) });
    this.say("");
    if (isDate(view.duration_s) && !view.video) {
      this.still();
      return this.footage.open(view.key);
    }
    if ((!view.video && !view.converted) || (this.broken.has(view.key) && !view.converted)) return this.still();
    const source = `hippocam/${view.converted ? "converted" : "video"}/${view.key}`;
    this.video.poster = view.picture ? `hippocam/picture/${view.picture}` : "";
    this.video.hidden = false;
    this.image.hidden = true;
    this.video.muted = false;
    this.video.src = source;
    return undefined;
  }

  goTo(moment, play) {
    this.moment = moment;
    this.bounded = moment.t1_s > moment.t0_s;
    this.footage.following = false;
    this.caption();
    this.strip.mark();
    if (this.footage.covers(moment.t0_s)) return this.footage.show(moment.t0_s, play);
    this.footage.leave();
    if (this.video.hidden || this.footage.key) return this.still();
    if (this.video.readyState >= HTMLMediaElement.HAVE_METADATA) this.seek(moment.t0_s);
    else this.pending = moment.t0_s;
    if (play) this.video.play().catch(() => {});  // where the browser wants a click first, it stays at the moment
    else this.video.pause();
    return undefined;
  }

  // Goes to a time of the stream as a click on the strip does.
  moveTo(time) {
    this.footage.following = false;
    if (this.footage.covers(time)) return this.footage.show(time, !this.video.paused);
    this.footage.leave();
    if (this.video.hidden || this.footage.key) return this.still();
    return this.seek(time);
  }

  ready() {
    if (this.pending !== null) this.seek(this.pending);
    this.pending = null;
    this.strip.draw();
  }

  seek(time) {
    this.video.currentTime = Math.max(0, time - this.origin);
    this.strip.place(time);
  }

  // The stream's time that the video shows: a recording's may be dates, and its file begins at 0 all the same.
  shownTime() {
    return this.video.currentTime + this.origin;
  }

  time() {
    if (this.video.hidden) return this.moment ? this.moment.t0_s : NaN;
    return this.pending ?? this.shownTime();
  }

  within() {
    const now = this.shownTime();
    return Boolean(this.moment) && now >= this.moment.t0_s - NEAR_S && now < this.moment.t1_s;
  }

  // A moment plays to its own end, and again from its start where it loops.
  moved() {
    const now = this.shownTime();
    this.strip.place(now);
    const done = this.bounded && !this.video.paused && this.moment && now >= this.moment.t1_s && now < this.moment.t1_s + 1.5;
    if (done && this.loop) return this.moveTo(this.moment.t0_s);
    if (done) {
      this.bounded = false;
      this.video.pause();
    }
    if (Math.round(now) === this.second) return undefined;
    this.second = Math.round(now);
    if (this.footage.shown) { this.footage.catchUp(); this.drawBadge(); }
    this.tellSoon();
    return undefined;
  }

  noteTime() {
    if (!this.view || this.video.seeking || this.video.hidden || this.footage.following) return;
    const time = Math.round(this.shownTime() * 10) / 10;
    const values = new URLSearchParams(location.search);
    if (time > 0 || values.has("t")) noteAt({ s: this.view.name, t: time });
  }

  play() {
    if (this.video.hidden) return;
    const moment = this.moment || this.strip.entryAt(this.time());
    if (moment) { this.moment = moment; this.bounded = true; this.moveTo(moment.t0_s); }
    this.video.play().catch(() => {});
  }

  setLoop(value) {
    this.loop = value;
    this.loopButton.setAttribute("aria-pressed", String(value));
    if (value) this.play();
  }

  setMoments(moments) {
    this.moments = moments;
    this.strip.mark();
  }

  // The moment before or after the one that is shown: of the answer or the search, else of the stream.
  step(by) {
    const own = this.moments.length ? this.moments : this.strip.moments();
    if (!own.length) return;
    const at = own.findIndex((one) => one.stream === this.view?.name && one.t0_s === this.moment?.t0_s);
    let next = at + by;
    if (at < 0) {
      const now = this.time() || 0;
      const later = own.findIndex((one) => one.t0_s > now + NEAR_S);
      next = by > 0 ? (later < 0 ? own.length - 1 : later) : (later < 0 ? own.length : later) - 1;
      if (by < 0 && next > 0 && own[next].t0_s > now - 1) next -= 1;
    }
    this.page.openMoment(own[Math.max(0, Math.min(own.length - 1, next))], { play: false, replace: true });
  }

  // The picture in place of a video that cannot be played.
  still() {
    this.video.pause();
    this.video.hidden = true;
    this.video.removeAttribute("src");
    const entry = this.moment && this.strip.entryAt(this.moment.t0_s);
    const id = this.moment ? this.moment.picture ?? (entry?.hasPicture ? entry.id : "") : this.view.picture;
    this.image.hidden = !id;
    if (id) this.image.src = `hippocam/picture/${id}`;
    const unplayable = this.broken.has(this.view.key);
    const why = unplayable ? "This browser cannot play this video's format." : isDate(this.view.duration_s) && !this.view.video ? "No footage of this time is kept." : !this.view.duration_s ? "Its first moment is on the way." : this.view.gone ? "The video file is no longer where it was." : "There is no video file to play.";
    this.say(`${why} ${this.shown(id)}`);
    if (unplayable && this.page.held.may_change)
      this.offer("Make a version that plays here", () => this.convert());
  }

  // What the strip holds is known: a still that was shown before has its picture now.
  stripRead() {
    if (this.view && this.moment && this.moment.picture === undefined && this.video.hidden && !this.footage.key) this.still();
  }

  shown(id) {
    if (!this.moment) return id ? "This is a picture from it." : "";
    if (!id) return "The picture of this moment was given up for the budget.";
    const { t0_s, t1_s, frame_s } = this.moment;
    const inside = frame_s === undefined || (t0_s <= frame_s && frame_s <= t1_s);
    return inside ? `This is the moment at ${clock(t0_s)}.` : `It looked like this at ${clock(frame_s)}.`;
  }

  unplayable() {
    if (!this.video.getAttribute("src") || !this.view) return;
    if (this.footage.shown) { this.footage.leave(); return this.still(); }
    this.broken.add(this.view.key);
    this.still();
  }

  async convert() {
    const made = await attempt(() => post(`convert/${this.view.key}`, { visitor: visitor() }));
    if (!made) return;
    notice("A version that plays here is being made; see Jobs.");
    this.page.jobs.poll();
  }

  // A version of the stream that is shown has been made: it is played.
  async reload() {
    const view = await attempt(() => get(`stream/${this.view.key}`));
    if (view && view.name === this.view.name) { this.broken.delete(view.key); const moment = this.moment; this.load(view); if (moment) this.goTo(moment, false); }
  }

  say(text) {
    this.note.textContent = text;
    this.note.hidden = !text;
    this.noteAction.hidden = true;
  }

  offer(label, handler) {
    this.noteAction.replaceChildren(button(label, handler, { kind: "small" }));
    this.noteAction.hidden = false;
  }

  caption() {
    const { name, duration_s: length, complete } = this.view;
    const span = this.moment && this.moment.t1_s > this.moment.t0_s ? range(this.moment.t0_s, this.moment.t1_s).split(" – ") : null;
    this.names.replaceChildren(
      el("strong", { title: name }, this.page.title(name)),
      span ? el("span", { class: "dock-span" }, icon("play"), span[0], el("span", { class: "span-end" }, ` – ${span[1]}`)) : "",
      length > 1e9 ? (this.footage?.info.live ? "" : el("span", { class: "soft" }, `until ${clock(length)}`)) : el("span", { class: "soft" }, lasting(length)),
      complete || length > 1e9 ? "" : el("span", { class: "warn" }, "watched in part"),
      this.badge = el("span", { class: "dock-badge" }),
    );
    this.drawBadge();
    this.pinButton.hidden = !this.page.held.may_change;
    this.tellSoon();
  }

  // More may be held of the stream that is shown, as while it is being watched.
  grown() {
    const found = this.view && this.page.stream(this.view.name);
    if (found && isDate(found.duration_s) && !isDate(this.view.duration_s)) this.view = null;  // a camera's first moment
    if (!this.view) return this.follow(address());
    if (found && !isDate(found.duration_s)) {
      Object.assign(this.view, { duration_s: found.duration_s, complete: found.complete });
      this.strip.extend(Math.max(found.duration_s, found.t1_s || 0));
    }
    return this.caption();
  }

  // What is held of the moment at which the player stands, in words.
  async tell() {
    const entry = this.moment?.id ? this.moment : this.strip.entryAt(this.time());
    const inside = entry && this.time() >= entry.t0_s - NEAR_S && this.time() <= entry.t1_s + NEAR_S;
    if (!inside) { this.toldOf = ""; return this.told.replaceChildren(); }
    if (this.toldOf === entry.id) return undefined;
    this.toldOf = entry.id;
    const found = await get(`moment/${entry.id}`).catch(() => null);
    if (this.toldOf !== entry.id) return undefined;
    this.told.replaceChildren(...(found ? told(entry, found) : []));
    return undefined;
  }

  drawBadge() {
    const badges = this.footage?.badges() || [];
    const text = badges.map((badge) => badge.outerHTML).join("");
    if (text !== this.badge.shown) this.badge.replaceChildren(...badges);  // what has the focus stays
    this.badge.shown = text;
  }

  // The entry that the shown moment is, for what is done with one.
  entry() {
    if (this.moment?.id) return this.moment;
    const found = this.strip.entryAt(this.time());
    if (!found) notice("Nothing is held of this time.");
    return found;
  }

  async pin() {
    const entry = this.entry();
    if (!entry) return;
    const pinned = !this.strip.isPinned(entry.id);
    if (!(await attempt(() => post("pin", { entries: [entry.id], pinned })))) return;
    notice(pinned ? "Kept: it is never given up for the budget." : "Let go: it can be given up like any other.");
    await this.strip.reload();
    this.toldOf = "";
    this.tell();
  }

  async why() {
    const entry = this.entry();
    if (!entry) return;
    const found = await attempt(() => get(`explain/${entry.id}`));
    if (found) show("Why it is held", ...explained(found));
  }

  like() {
    const entry = this.entry();
    if (entry) go({ v: "search", like: entry.id, q: "", s: this.view.name });
  }

  clip() {
    const moment = this.moment?.t1_s > this.moment?.t0_s ? this.moment : this.strip.entryAt(this.time());
    if (!moment || !(this.view.video || this.footage.covers(moment.t0_s))) return notice("There is no footage to cut from.");
    const link = el("a", { href: `hippocam/clip/${this.view.key}?t0=${moment.t0_s}&t1=${moment.t1_s}`, download: "" });
    this.element.append(link);
    link.click();
    link.remove();
    notice("The clip is being cut.");
  }

  async copy() {
    const link = linkTo({ s: this.view.name, t: Math.round((this.time() || 0) * 10) / 10 });
    try {
      await navigator.clipboard.writeText(link);
      notice("The link is copied.");
    } catch {
      show("The link to this moment", el("input", { type: "text", value: link, readOnly: true, "aria-label": "Link" }));
    }
  }

  key({ key }, target) {
    const inside = target.closest?.("button, a, video, [role=slider]");
    const does = { "[": () => this.step(-1), "]": () => this.step(1), l: () => this.setLoop(!this.loop), p: () => this.pin() }[key];
    if (key === " " && !inside && !this.video.hidden) {
      if (this.video.paused) this.video.play().catch(() => {}); else this.video.pause();
      return true;
    }
    if (!does || this.element.hidden) return false;
    does();
    return true;
  }
}

const told = (entry, { looks_like: looks, things, notes, level, pinned, met }) => [
  el("h3", {}, range(entry.t0_s, entry.t1_s)),
  looks ? el("p", {}, `Looks like ${looks}.`) : null,
  things.length ? el("p", { class: "told-things" }, ...things.map((thing) => el("span", { class: "told-thing" }, thing))) : null,
  ...notes.map((note) => el("p", { class: "said" }, `“${note}”`)),
  el("p", { class: "soft" }, [LEVELS[level] || level, pinned ? "pinned" : "", met > 1 ? `met ${met} times` : ""].filter(Boolean).join(" · ")),
].filter(Boolean);

export const explained = ({ looks_like: looks, entry, worth, journal, provenance }) => [
  el("p", {}, looks ? `It looks like ${looks}.` : "", " ", entry ? `Held as ${LEVELS[entry.level] || entry.level}; met ${entry.met} times, used ${entry.uses} times.` : "It is no longer held."),
  worth ? el("dl", { class: "figures" },
    ...[["new to its stream", worth.surprise], ["like what is met again", worth.learned], ["held elsewhere too", worth.redundancy]]
      .filter(([, value]) => typeof value === "number").map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value.toFixed(2))))) : "",
  el("h3", {}, "What happened to it"),
  el("ol", { class: "plain-list" }, ...(journal.length ? journal : [{ text: "nothing is written down any more" }]).map((row) =>
    el("li", {}, row.time_s !== undefined ? el("span", { class: "soft" }, `${clock(row.time_s)} `) : "", row.text))),
  provenance ? el("p", { class: "soft" }, `From ${provenance.frames} frames${provenance.senses.length ? ` (${provenance.senses.join(", ")})` : ""}, encoder ${provenance.encoder}.`) : "",
];

export const LEVELS = { full: "whole picture", small: "thumbnail", vectors: "no picture", signs: "signs of its vectors", words: "words only" };
