// A video that is fed with fragmented MP4 as it comes, so that it shows what a camera sends without waiting for more.
//
// A browser that is given the address of a video which goes on reads it in large blocks and guesses where it ends: of
// a still scene, for which a camera sends little, the newest pictures would stand in no block for a minute.

import { reach } from "./net.js";

// As much is read ahead of what is shown, and as much kept of what was; seconds.
const AHEAD_S = 30;
const KEPT_S = 30;
const SHORT_S = 0.5;
const LOOK_MS = 400;
const AVCC = [0x61, 0x76, 0x63, 0x43];  // "avcC"
const MP4A = [0x6d, 0x70, 0x34, 0x61];  // "mp4a"

export const feeds = "MediaSource" in window;

export class Feed {
  constructor(video) {
    this.video = video;
    this.aborted = new AbortController();
    this.source = new MediaSource();
    this.opened = new Promise((done) => this.source.addEventListener("sourceopen", done, { once: true }));
    this.address = URL.createObjectURL(this.source);
    video.src = this.address;
  }

  get closed() { return this.aborted.signal.aborted; }

  // Plays what an answer of the server brings, as it comes; to be called once.
  async follow(path) {
    const answer = await reach(path, { signal: this.aborted.signal });
    const reader = answer.body.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done || this.closed) break;
      await this.take(value);
      while (!this.closed && this.end() - this.video.currentTime > AHEAD_S) await later();
    }
    if (!this.closed && this.source.readyState === "open") this.source.endOfStream();
  }

  // Adds some of the video; `at` is where it begins, where that is not told by what came before.
  async take(content, at = null) {
    this.head = this.head ? joined(this.head, content) : content;
    if (!this.buffer) {
      const codecs = codecsOf(this.head);
      if (!codecs) return;  // its header is not whole yet
      await this.opened;
      if (this.closed) return;
      this.buffer = this.source.addSourceBuffer(`video/mp4; codecs="${codecs}"`);
    }
    if (at !== null) this.buffer.timestampOffset = at;
    this.buffer.appendBuffer(this.head);
    this.head = null;
    await updated(this.buffer);
    const short = this.start() - this.video.currentTime;
    if (short > 0 && short < SHORT_S) this.video.currentTime = this.start();  // its first picture is not quite at 0
    const gone = this.video.currentTime - KEPT_S;
    if (gone > 0 && this.buffer.buffered.length && this.buffer.buffered.start(0) < gone - KEPT_S) {
      this.buffer.remove(0, gone);
      await updated(this.buffer);
    }
  }

  // Until when there is something to show, and since when without a gap; 0 before anything has come.
  end() {
    const { buffered } = this.video;
    return buffered.length ? buffered.end(buffered.length - 1) : 0;
  }

  start() {
    const { buffered } = this.video;
    return buffered.length ? buffered.start(buffered.length - 1) : 0;
  }

  close() {
    this.aborted.abort();
    URL.revokeObjectURL(this.address);
    if (this.video.getAttribute("src") === this.address) this.video.removeAttribute("src");
  }
}

const later = () => new Promise((done) => setTimeout(done, LOOK_MS));

const joined = (one, other) => {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
};

const updated = (buffer) => new Promise((done, fail) => {
  buffer.addEventListener("updateend", done, { once: true });
  buffer.addEventListener("error", () => fail(new Error("it cannot be played")), { once: true });
});

const found = (content, name) => content.findIndex((byte, index) => byte === name[0] && name.every((letter, offset) => content[index + offset] === letter));

// What pictures and sound are coded in, as browsers call it: the pictures' profile stands in the video's header.
const codecsOf = (content) => {
  const header = content.subarray(0, 4096);
  const at = found(header, AVCC);
  if (at < 0 || at + 8 > header.length) return "";
  const profile = [...header.subarray(at + 5, at + 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `avc1.${profile}${found(header, MP4A) < 0 ? "" : ", mp4a.40.2"}`;
};
