// A camera's footage in the player: a time of which footage is kept, or what is shown now, and how far behind it is.

import { clock, el, icon, iconButton, lasting } from "./dom.js";
import { Feed, feeds } from "./feed.js";
import { get } from "./net.js";
import { keep, kept } from "./state.js";

const LOOK_MS = 4000;
const AGAIN_MS = 2500;
// How far before the newest footage a live picture begins; from where on it catches up with what has come; from which
// lag on it is no longer called live.
const EDGE_S = 0.8;
const LATE_S = 4;
const BEHIND_S = 30;
// Of a camera that is not watched now this much of its footage is left to play.
const LAST_S = 10;

export class Footage {
  constructor(player) {
    this.player = player;
    this.close();
    player.video.addEventListener("ended", () => this.ended());
    // Browsers begin with sound only after a click: a camera is silent until somebody wants to hear it.
    player.video.addEventListener("volumechange", () => { if (this.shown) { keep("muted", player.video.muted); this.drawSound(); } });
    this.sound = iconButton("muted", "", () => { player.video.muted = !player.video.muted; });
  }

  // Looks how a camera is, for as long as its stream is shown.
  async open(key) {
    this.close();
    this.key = key;
    await this.look();
    if (this.key === key) this.timer = setInterval(() => { if (!document.hidden) this.look(); }, LOOK_MS);
  }

  close() {
    clearInterval(this.timer);
    clearTimeout(this.again);
    this.key = "";
    this.info = { live: false, footage: [] };
    this.feed?.close();
    this.feed = null;
    this.shown = false;  // whether the video shows footage
    this.following = false;
    this.turn = (this.turn || 0) + 1;
  }

  async look() {
    const { key } = this;
    const info = await get(`live/${key}`).catch(() => null);
    if (!info || key !== this.key) return;
    this.info = info;
    this.skew_s = info.now_s - Date.now() / 1000;
    this.player.strip.extend(info.live ? info.now_s : info.last_s || 0);
    this.player.caption();
    if (info.live && !info.footage.length && !this.shown && !this.player.moment) this.newestFrame();
  }

  now() { return Date.now() / 1000 + (this.skew_s || 0); }

  covers(time) { return this.info.footage.some(([t0, t1]) => time >= t0 - 0.5 && time < t1); }

  // Plays footage from a time on, or stands at it.
  async show(time, play) {
    const { player } = this;
    const turn = ++this.turn;
    clearTimeout(this.again);
    if (this.shown && this.buffered(time - player.origin)) {
      player.video.currentTime = time - player.origin;
    } else {
      const found = await get(`footage/${this.key}/start`, { t: time }).catch(() => null);
      if (turn !== this.turn) return;
      if (!found) { this.leave(); player.still(); return; }
      this.shown = true;
      player.origin = found.start_s;
      player.pending = time;
      player.image.hidden = true;
      player.video.poster = "";
      player.video.hidden = false;
      player.video.muted = kept("muted", true);
      this.drawSound();
      player.say("");
      this.begin(`footage/${this.key}/video?start_s=${found.start_s}`);
    }
    if (play) this.play(); else player.video.pause();
    player.strip.place(time);
  }

  begin(path) {
    const { video } = this.player;
    this.feed?.close();
    this.feed = null;
    if (!feeds) { video.src = `hippocam/${path}`; return; }
    const feed = this.feed = new Feed(video);
    feed.follow(path).catch(() => { if (!feed.closed) this.player.unplayable(); });
  }

  // What is shown live stays near what has come, also after it had to wait.
  catchUp() {
    if (this.following && this.feed && this.feed.end() - this.player.video.currentTime > LATE_S) this.player.video.currentTime = this.feed.end() - EDGE_S;
  }

  async play() {
    const { video } = this.player;
    try {
      await video.play();
    } catch (error) {
      if (error.name !== "NotAllowedError" || video.muted) return;
      video.muted = true;
      video.play().catch(() => {});
    }
  }

  drawSound() {
    const { muted } = this.player.video;
    this.sound.replaceChildren(icon(muted ? "muted" : "sound"));
    this.sound.title = muted ? "Hear the camera" : "Silence the camera";
    this.sound.setAttribute("aria-label", this.sound.title);
    this.sound.setAttribute("aria-pressed", String(!muted));
  }

  // Where nobody asked for a time: live, or the end of what was filmed.
  newest() {
    const last = this.info.footage.at(-1);
    if (this.info.live) this.live();
    else if (last) this.show(Math.max(last[0], last[1] - LAST_S), false);
  }

  // What is shown now, a second or two late: footage comes by the half second.
  live() {
    const last = this.info.footage.at(-1);
    const { player } = this;
    player.moment = null;
    player.bounded = false;
    player.strip.mark();
    if (!last) return this.newestFrame();
    this.following = true;
    return this.show(Math.max(last[0], last[1] - EDGE_S), true);
  }

  // Where no footage is kept, the newest frame stands in for it.
  newestFrame() {
    const { player } = this;
    player.image.hidden = false;
    player.image.src = `hippocam/cameras/${encodeURIComponent(player.view.name)}/frame?${Math.round(this.info.last_s || 0)}`;
    player.say("No footage of this camera is kept: this is its newest frame.");
  }

  leave() {
    this.shown = false;
    this.following = false;
    this.feed?.close();
    this.feed = null;
    clearTimeout(this.again);
  }

  buffered(time) {
    const { buffered } = this.player.video;
    for (let index = 0; index < buffered.length; index++) if (time >= buffered.start(index) && time <= buffered.end(index)) return true;
    return false;
  }

  // A stretch is over: the next one is played, or what comes is waited for.
  ended() {
    if (!this.shown) return;
    const now = this.player.shownTime();
    const next = this.info.footage.find(([t0]) => t0 > now + 1);
    if (next) {
      this.player.say(`Nothing was filmed from ${clock(now)} for ${lasting(next[0] - now)}.`);
      this.show(next[0], true);
    } else if (this.info.live) {
      this.again = setTimeout(async () => { await this.look(); if (this.shown) this.live(); }, AGAIN_MS);
    }
  }

  // What stands beside the stream's name: whether it is live and how far behind, and whether it is heard.
  badges() {
    const { info } = this;
    if (!this.key || !info.now_s) return [];
    const sound = this.shown && info.heard ? [this.sound] : [];
    if (!info.live) return [el("span", { class: "soft" }, info.state), ...sound];
    const behind = this.shown ? this.now() - this.player.shownTime() : Infinity;
    if (this.following && behind < BEHIND_S) return [el("span", { class: "live-badge on" }, `live, ${Math.max(1, Math.round(behind))} s`, el("span", { class: "behind" }, " behind")), ...sound];
    return [el("button", { type: "button", class: "live-badge", title: "Show what the camera shows now", on: { click: () => this.live() } }, "Go live"), ...sound];
  }
}
