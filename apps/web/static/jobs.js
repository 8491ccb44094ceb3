// What is worked on: read from the server while something is, told to the views, and each job as a row.

import { bytes, button, clock, el, iconButton, lasting } from "./dom.js";
import { get, post } from "./net.js";
import { attempt, notice } from "./notices.js";
import { keep, kept, tell, visitor } from "./state.js";
import { Uploads } from "./uploads.js";

const POLL_MS = 800;
const ENDED = new Set(["done", "failed", "cancelled"]);
const KINDS = { watch: "watch", sleep: "sleep", convert: "version for browsers", upload: "upload", budget: "budget" };
// Kinds that work on the memory as a whole, and what is said when one is done.
export const WHOLE = { sleep: "The memory slept", budget: "The budget is changed" };

export class Jobs {
  constructor(page) {
    this.page = page;
    this.listed = [];
    this.seen = new Map();
    this.started = kept("server", "");
    this.uploads = new Uploads(this);
    this.polling = false;
  }

  // Reads the jobs until none is at work; what came before the first look is no news.
  async poll() {
    if (this.polling) { this.again = true; return; }
    this.polling = true;
    let first = this.seen.size === 0 && !this.looked;
    this.looked = true;
    let busy = true;
    while (busy) {
      this.again = false;
      try {
        const { jobs } = await get("jobs", { visitor: visitor() });
        const watched = jobs.filter((job) => this.news(job, first));
        this.listed = jobs;
        first = false;
        if (watched.length) await this.page.refresh();
        busy = this.again || jobs.some((job) => !ENDED.has(job.state));
      } catch {
        busy = false;
      }
      this.draw();
      if (busy) await new Promise((done) => setTimeout(done, POLL_MS));
    }
    this.polling = false;
  }

  // Whether what is held has changed with a job; its end is told to whoever asked for it.
  news(job, first) {
    const before = this.seen.get(job.id);
    const step = `${job.state}:${Math.floor((job.time_s || 0) / 10)}`;
    this.seen.set(job.id, step);
    if (first || before === step) return false;
    if (ENDED.has(job.state) && job.own && !before?.startsWith(job.state)) this.ended(job);  // also of one that ended before any look
    return true;
  }

  ended(job) {
    const what = WHOLE[job.kind] || job.name;
    if (job.state === "done" && job.kind === "convert") {
      if (this.page.player.view?.key === job.stream) this.page.player.reload();
      return;
    }
    if (job.state === "done") notice(WHOLE[job.kind] ? `${what}: ${job.note}.` : `${what} is watched. ${job.note}`, job.stream ? { label: "Show", action: () => this.showStream(job.stream) } : {});
    if (job.state === "failed") notice(`${job.name}: ${job.note}`, { kind: "bad" });
  }

  showStream(key) {
    const stream = this.page.held.streams.find((one) => one.key === key);
    if (stream) this.page.openMoment({ stream: stream.id, t0_s: 0, t1_s: 0 }, { play: false });
  }

  // Everything that this browser is to see: the server's jobs and its own uploads, without what was dismissed here.
  all() {
    const dismissed = new Set(kept("dismissed", []));
    const sent = this.uploads.list();
    return [...sent, ...this.listed.map((job) => ({ ...job, ref: `${job.id}:${job.ended_s || ""}` })).filter((job) => !dismissed.has(job.ref)).reverse()];
  }

  busy() { return this.all().some((job) => !ENDED.has(job.state)); }

  draw() {
    const all = this.all();
    this.page.badge("jobs", all.filter((job) => !ENDED.has(job.state)).length);
    tell("jobs", all);
  }

  dismiss(job) {
    if (job.kind === "upload") this.uploads.drop(job.id);
    else keep("dismissed", [...kept("dismissed", []), job.ref].slice(-200));
    this.draw();
  }

  async cancel(job) {
    if (job.kind === "upload") return this.uploads.pause(job.id);
    await attempt(() => post(`jobs/${job.id}/cancel`));
    return this.poll();
  }

  async resume(job) {
    if (job.kind === "upload") return this.uploads.resume(job.id);
    if (await attempt(() => post(`jobs/${job.id}/resume`, { visitor: visitor() }))) this.dismiss(job);
    return this.poll();
  }

  row(job) {
    const at_work = !ENDED.has(job.state);
    const share = job.share;
    const bar = at_work ? el("progress", { class: "bar", max: 1, "aria-label": `${job.name}: ${words(job)}` }) : null;
    if (bar && share !== null && share !== undefined) bar.value = share;
    return el("div", { class: `job job-${job.state}`, data: { state: job.state, kind: job.kind } },
      el("div", { class: "job-text" },
        el("span", { class: "job-name" }, job.name, job.own || job.kind === "upload" ? "" : el("span", { class: "soft" }, " another visitor's")),
        el("span", { class: "job-state" }, words(job))),
      el("div", { class: "job-actions" },
        job.stream && job.kind !== "convert" ? button("Show", () => this.showStream(job.stream), { kind: "small" }) : null,
        job.resumable && this.page.held.may_change ? button("Resume", () => this.resume(job), { kind: "small" }) : null,
        at_work && job.state !== "stopping" && this.page.held.may_change ? button(job.kind === "upload" ? "Pause" : "Cancel", () => this.cancel(job), { kind: "small" }) : null,
        at_work ? null : iconButton("close", `Dismiss ${job.name}`, () => this.dismiss(job))),
      bar);
  }
}

const words = (job) => {
  const kind = KINDS[job.kind] || job.kind;
  const left = job.left_s ? `, ${lasting(job.left_s)} left` : "";
  if (job.kind === "upload" && job.state === "running") return `uploading ${Math.round(100 * (job.share || 0))}% of ${bytes(job.size)}`;
  switch (job.state) {
    case "waiting": return "waiting for its turn";
    case "stopping": return "stopping at the next step";
    case "running":
      if (job.kind === "sleep") return "asleep: merging what says the same";
      if (job.kind === "budget") return "making room, where that is needed";
      if (!job.time_s) return "getting ready";
      return `${job.kind === "convert" ? "converting" : "watching"} ${clock(job.time_s)}${job.speed ? `, ${job.speed.toFixed(1)}x real time` : ""}${left}`;
    case "done": return job.kind === "watch" ? (job.note ? `watched; ${job.note}` : "watched") : job.note || `${kind} done`;
    case "failed": return job.note;
    default: return job.note || "cancelled";
  }
};
