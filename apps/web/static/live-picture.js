// A camera's picture as it moves, in a tile: short snippets of its footage, asked for one after the other.
//
// A browser has six connections to a server, and a page shows more cameras than that: so none is held open, and only
// tiles that can be seen ask. Where no footage is kept, or no browser plays it as it is, the newest frame stands in.

import { el } from "./dom.js";
import { Feed, feeds } from "./feed.js";
import { reach } from "./net.js";

const EVERY_MS = 1000;
// From here on it has fallen behind what has come, seconds: it goes on with the newest snippet.
const LATE_S = 6;

export class LivePicture {
  // What is held of it stands there until a frame comes.
  constructor(stream, key, held) {
    this.stream = stream;
    this.key = key;
    this.moves = false;  // whether there is footage that browsers play as it is
    const stands = held ? `hippocam/picture/${held}` : "";
    this.image = el("img", { alt: `Newest frame of ${stream}`, src: stands || undefined, hidden: true });
    this.image.addEventListener("error", () => {
      if (stands && this.image.getAttribute("src") !== stands) this.image.src = stands;
      else this.image.hidden = true;
    });
    this.image.addEventListener("load", () => { this.image.hidden = false; });
    this.video = el("video", { muted: true, playsInline: true, disablePictureInPicture: true, tabIndex: -1, "aria-hidden": "true", hidden: true });
    this.video.addEventListener("error", () => this.drop());
    this.element = el("span", { class: "live-picture" }, this.image, this.video);
    this.seen = new IntersectionObserver((entries) => (entries.at(-1).isIntersecting ? this.start() : this.stop()));
    this.seen.observe(this.element);
  }

  start() {
    if (this.timer) return;
    this.next();
    this.timer = setInterval(() => { if (!document.hidden) this.next(); }, EVERY_MS);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    this.drop();
  }

  // It is no longer shown at all.
  close() {
    this.seen.disconnect();
    this.stop();
  }

  async next() {
    if (this.asking) return;
    this.asking = true;
    try {
      if (this.moves && feeds && !this.unplayed) await this.snippet();
    } catch (error) {
      this.unplayed = error.name === "NotSupportedError";
      this.drop();
    } finally {
      this.asking = false;
    }
    if (this.video.hidden && this.timer) this.image.src = `hippocam/cameras/${encodeURIComponent(this.stream)}/frame?${Date.now()}`;
  }

  async snippet() {
    const answer = await reach(`footage/${this.key}/snippet?after_s=${this.newest || 0}`);
    if (answer.status !== 200 || !this.timer) return;
    const start = Number(answer.headers.get("X-Start"));
    this.newest = answer.headers.get("X-Newest");
    if (!this.feed) { this.feed = new Feed(this.video); this.origin = start; }
    const { feed, video } = this;
    await feed.take(new Uint8Array(await answer.arrayBuffer()), start - this.origin);
    if (feed.closed) return;
    if (video.currentTime < feed.start() || feed.end() - video.currentTime > LATE_S) video.currentTime = Math.max(feed.start(), start - this.origin);
    await video.play();
    video.hidden = false;
  }

  drop() {
    this.video.hidden = true;
    this.feed?.close();
    this.feed = this.newest = null;
  }
}
