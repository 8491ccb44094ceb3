// Library: what was watched, adding more, going on, renaming, forgetting with what that deletes.

import { button, bytes, clock, el, empty, iconButton, isDate, lasting, many, picture } from "./dom.js";
import { post } from "./net.js";
import { asked, attempt, notice } from "./notices.js";
import { go, on, visitor } from "./state.js";
import { forget } from "./forgetting.js";
import { WHOLE } from "./jobs.js";

export default class Library {
  constructor(page) {
    this.page = page;
    this.build();
    on("held", () => this.draw());
    on("jobs", () => this.drawWork());
    this.draw();
  }

  build() {
    const { suffixes = [] } = this.page.held;
    this.file = el("input", { type: "file", class: "file-box", multiple: true, accept: `video/*,${suffixes.join(",")}`, "aria-label": "Video files",
      on: { change: () => { this.add(this.file.files); this.file.value = ""; } } });
    this.folder = el("input", { type: "file", class: "folder-box", multiple: true, "aria-label": "A folder of videos",
      on: { change: () => { this.addSome([...this.folder.files]); this.folder.value = ""; } } });
    this.folder.webkitdirectory = true;
    this.file.hidden = this.folder.hidden = true;
    this.head = el("div", { class: "view-head" });
    this.work = el("div", { class: "jobs" });
    this.grid = el("div", { class: "tiles" });
    this.drop = el("div", { class: "drop", hidden: true }, "Drop the videos to watch them");
    this.element = el("section", { class: "library" }, this.head, this.file, this.folder, this.work, this.grid, this.drop);
    for (const kind of ["dragenter", "dragover", "dragleave", "drop"])
      this.element.addEventListener(kind, (event) => this.dragged(event, kind));
  }

  enter(at) {
    if (at.add) { go({ add: "" }, { replace: true }); if (this.page.held.may_change) this.file.click(); }
    this.page.jobs.poll();
  }

  dragged(event, kind) {
    if (!this.page.held.may_change || ![...(event.dataTransfer?.types || [])].includes("Files")) return;
    event.preventDefault();
    this.drop.hidden = kind === "drop" || (kind === "dragleave" && event.target !== this.drop);
    if (kind === "drop") this.dropped(event.dataTransfer);
  }

  // Files, and the videos in folders.
  async dropped({ files, items }) {
    const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!entries.some((entry) => entry.isDirectory)) return this.add(files);
    const inside = (await Promise.all(entries.map(filesOf))).flat();
    return this.addSome(inside);
  }

  // The videos among the files of a folder.
  addSome(files) {
    const { suffixes } = this.page.held;
    const videos = files.filter((file) => suffixes.some((suffix) => file.name.toLowerCase().endsWith(suffix)));
    if (!videos.length) return notice("There is no video in this folder.", { kind: "bad" });
    return this.add(videos);
  }

  add(files) { this.page.jobs.uploads.add(files); }

  async addPath() {
    const { roots } = this.page.held;
    const path = await asked("Add from the server", `A file, a folder or a pattern below ${roots.join(", ")}`, roots[0], "Add");
    if (!path?.trim()) return;
    const found = await attempt(() => post("watch", { path: path.trim(), visitor: visitor() }));
    if (found) notice(`${many(found.jobs.length, "thing")} to watch.`);
    this.page.jobs.poll();
  }

  draw() {
    const { held } = this.page;
    const may = held.may_change;
    this.head.replaceChildren(el("h1", {}, "Library"), el("span", { class: "soft" }, held.streams.length ? `${many(held.streams.length, "stream")}, ${bytes(held.bytes)} of ${bytes(held.budget_bytes)}` : ""), el("span", { class: "gap" }),
      ...(may && held.streams.length ? this.ways("primary") : []));
    this.grid.replaceChildren(...held.streams.map((stream) => this.tile(stream)));
    this.drawWork();
  }

  drawWork() {
    const shown = this.page.jobs.all().filter((job) => !WHOLE[job.kind] && job.state !== "done");
    this.work.replaceChildren(...shown.map((job) => this.page.jobs.row(job)));
    if (!this.page.held.streams.length) this.grid.replaceChildren(this.emptyOf(this.page.held.may_change));
  }

  tile(stream) {
    const { held } = this.page;
    const may = held.may_change;
    const live = isDate(stream.duration_s);
    const share = stream.length_s && !stream.complete && !live ? Math.min(1, (stream.duration_s - stream.begins_s) / stream.length_s) : null;
    const told = [live ? `last seen ${clock(stream.duration_s)}` : share === null ? lasting(stream.duration_s) : `${clock(stream.duration_s - stream.begins_s)} of ${clock(stream.length_s)}`, many(stream.entries, "event"), bytes(stream.entry_bytes)];
    return el("article", { class: "tile", data: { stream: stream.id } },
      el("button", { type: "button", class: "poster", "aria-label": `Open ${stream.title || stream.id}`, on: { click: () => this.page.openMoment({ stream: stream.id, t0_s: stream.t0_s || 0, t1_s: 0 }, { play: false }) } },
        picture(stream.picture), stream.complete || live ? null : el("span", { class: "tag warn" }, share === null ? `watched to ${clock(stream.duration_s)}` : `${percent(share)} watched`), stream.gone && !live ? el("span", { class: "tag" }, "file is gone") : null,
        stream.imported ? el("span", { class: "tag" }, "imported") : null),
      el("div", { class: "tile-body" },
        el("h2", { title: stream.id }, stream.title || stream.id),
        share === null ? null : el("progress", { class: "bar", max: 1, value: share, "aria-label": `${percent(share)} of ${lasting(stream.length_s)} watched` }),
        el("p", { class: "soft" }, told.join(" · ")),
        el("p", { class: "soft" }, senses(stream)),
        stream.evicted ? el("p", { class: "soft" }, `${many(stream.evicted, "event")} given up for the budget`) : null,
        el("div", { class: "tile-actions" },
          button("Ask about it", () => this.askAbout(stream), { kind: "small" }),
          may && !stream.complete && !live && !stream.gone && !this.page.jobs.busy() ? button("Resume", () => this.resume(stream), { kind: "small" }) : null,
          el("span", { class: "gap" }),
          may ? iconButton("edit", "Rename", () => this.rename(stream)) : null,
          may ? iconButton("trash", "Forget", () => this.forget(stream)) : null)));
  }

  // Moments come while a video is still being watched, and stand here as they do.
  emptyOf(may) {
    if (this.page.jobs.busy()) return empty("The first moments are on their way", "They stand here as they come, and can be asked about at once.");
    if (!may) return empty("Nothing watched yet", "Whoever started this page can have something watched into the memory.");
    return empty("Nothing watched yet", "Add videos or a whole folder, or drop them anywhere here. They are watched on this machine and sent nowhere else; you can ask while they are being watched.",
      el("div", { class: "tile-actions" }, ...this.ways("primary")),
      el("p", { class: "soft" }, `Added videos are kept in ${this.page.held.uploads}, beside the memory and outside its budget; up to ${this.page.held.limit_bytes / 1e9} GB each.`));
  }

  // The ways to add something.
  ways(kind) {
    return [
      this.page.held.roots.length ? button("Add by path", () => this.addPath()) : "",
      button("Add a folder", () => this.folder.click()),
      button("Add videos", () => this.file.click(), { kind, icon: "add" }),
    ];
  }

  askAbout(stream) {
    this.page.scoped = stream.id;
    go({ v: "ask", s: stream.id, t: "", q: "" });
  }

  async resume(stream) {
    if (await attempt(() => post("watch", { stream: stream.key, visitor: visitor() }))) notice(`${stream.title || stream.id} is watched on.`);
    this.page.jobs.poll();
  }

  async rename(stream) {
    const title = await asked("Rename", "What it is called here, in questions and in answers; links keep working", stream.title || stream.id);
    if (title === null) return;
    if (await attempt(() => post(`title/${stream.key}`, { title: title.trim() === stream.id ? "" : title }))) this.page.refresh();
  }

  async forget(stream) {
    if (!(await forget(this.page, { stream: stream.id }, `Forget ${stream.title || stream.id}?`))) return;
    if (this.page.player.view?.name === stream.id) { this.page.player.view = null; go({ s: "", t: "" }, { replace: true }); }
    this.page.refresh();
  }
}

const percent = (share) => `${Math.floor(100 * share)}%`;

const SENSES = { screen: "text read", speech: "speech heard", things: "things told apart" };

const senses = (stream) => (stream.senses.length ? `with ${stream.senses.map((sense) => SENSES[sense] || sense).join(", ")}` : "pictures alone");

// All files of a dropped file or folder.
const filesOf = async (entry) => {
  if (entry.isFile) return [await new Promise((done, fail) => entry.file(done, fail))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {  // a browser gives a hundred at a time
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.map(filesOf))).flat();
};
