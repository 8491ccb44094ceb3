// Cameras: a tile each; what happened before them, to be looked through; standing questions; gaps.

import { CameraTile } from "./camera-tile.js";
import { button, clock, el, empty, iconButton, lasting, many } from "./dom.js";
import { get, post } from "./net.js";
import { attempt, confirmed, notice } from "./notices.js";
import { Review } from "./review.js";
import { go } from "./state.js";
import { editZones } from "./zones.js";

const EVERY_MS = 3000;
const REVIEW_MS = 12_000;

// What reading and hearing take of the time that they may take.
function sharesTold({ reading, hearing }) {
  const part = (name, { used, share }) => `${name} ${Math.round(100 * used)} % of ${Math.round(100 * share)} %`;
  return [reading && part("reading", reading), hearing && (hearing.error ? `nothing is heard: ${hearing.error}` : part("hearing", hearing))].filter(Boolean);
}

export default class Cameras {
  constructor(page) {
    this.page = page;
    this.tiles = el("div", { class: "tiles" });
    this.body = el("div", {});
    this.review = new Review(page);
    this.form = this.adding();
    this.element = el("section", { class: "cameras" }, el("div", { class: "view-head" }, el("h1", {}, "Cameras"), this.told = el("span", { class: "soft" })), this.form, this.tiles, this.review.element, this.body);
    this.shown = new Map();
  }

  enter() {
    clearInterval(this.timer);
    this.reviewed = 0;
    this.look();
    this.timer = setInterval(() => { if (!document.hidden) this.look(); }, EVERY_MS);
  }

  leave() { clearInterval(this.timer); }

  adding() {
    const address = el("input", { type: "text", placeholder: "rtsp://camera.local/stream", "aria-label": "Address of the camera", maxLength: 400 });
    const name = el("input", { type: "text", placeholder: "Name", "aria-label": "Name of the camera", maxLength: 60 });
    const add = async () => {
      if (!address.value.trim()) return address.focus();
      const found = await attempt(() => post("cameras", { address: address.value, name: name.value }));
      if (!found) return undefined;
      notice(`${found.stream} is being opened.`);
      address.value = name.value = "";
      return this.look();
    };
    return el("form", { class: "add-line", hidden: true, on: { submit: (event) => { event.preventDefault(); add(); } } }, address, name, el("button", { type: "submit", class: "button primary" }, "Add a camera"));
  }

  async look() {
    const found = await get("cameras").catch((error) => ({ error: error.message }));
    if (found.error) return this.showOnly([empty("The cameras cannot be asked", found.error)]);
    this.found = found;
    if (Date.now() - (this.reviewed || 0) > REVIEW_MS) { this.reviewed = Date.now(); this.review.look(); }
    this.form.hidden = !found.may_add;
    const live = new Set(found.cameras.map((camera) => camera.stream));
    this.told.textContent = found.running ? [many(found.cameras.length, "camera"), ...sharesTold(found.shares)].join(" · ") : "";
    const starting = found.own.filter((stream) => !live.has(stream)).map((stream) => ({ stream, waits: found.failed || "is being opened…" }));
    const past = found.past.filter((one) => !live.has(one.stream) && !found.own.includes(one.stream)).map((one) => ({ ...one, past: true }));
    const every = [...found.cameras, ...starting, ...past];
    const tiles = every.map((camera) => this.tile(camera));
    this.showOnly(tiles.length ? tiles : [empty("No camera is watched", found.may_add
      ? "Add the address of one above: it is watched as long as this page runs. A process of its own can watch them too: hippocam live add NAME=rtsp://…"
      : "Whoever started this page can watch cameras: hippocam live add NAME=rtsp://…")]);
    if (!this.body.contains(this.page.root.activeElement)) this.drawBody(found);
    return undefined;
  }

  // The tile of a camera, which stays as long as the camera is listed.
  tile(camera) {
    if (!this.shown.has(camera.stream)) this.shown.set(camera.stream, new CameraTile(this, camera.stream));
    const tile = this.shown.get(camera.stream);
    tile.update(camera, this.found);
    return tile.element;
  }

  // Shows some tiles, and leaves those alone that are there: what moves goes on, and what has the focus keeps it.
  showOnly(elements) {
    const same = elements.length === this.tiles.children.length && elements.every((element, index) => element === this.tiles.children[index]);
    if (same) return;
    for (const [stream, tile] of this.shown) if (!elements.includes(tile.element)) { tile.close(); this.shown.delete(stream); }
    this.tiles.replaceChildren(...elements);
  }

  // Draws zones and masks over a camera's newest picture.
  async zones(stream, picture) {
    if (!this.page.stream(stream)) await this.page.refresh();
    if (!this.page.stream(stream)) return notice("Its first moment is not kept yet; try again in some seconds.");
    if (await editZones(this.page, stream, picture)) this.look();
    return undefined;
  }

  drawBody(found) {
    const { log } = found;
    const text = JSON.stringify([found.asked, found.zones, found.own, found.cameras.map((camera) => camera.stream), log]);
    if (text === this.drawn) return;  // what is being typed stays
    this.drawn = text;
    const asking = found.may_add && (found.cameras.length || found.own.length) ? this.asking(found) : null;
    this.body.replaceChildren(
      asking ? el("section", { class: "panel" }, el("h2", {}, "Alerts"), asking) : "",
      log.length ? el("section", { class: "panel" }, el("h2", {}, "Gaps and restarts"), el("ol", { class: "plain-list" }, ...log.slice(0, 20).map((row) =>
        el("li", {}, el("span", { class: "soft" }, clock(row.from_s ?? row.time_s ?? 0)), ` ${row.stream || ""} ${row.event === "state" ? row.state : row.event}${row.to_s ? `, ${lasting(row.to_s - row.from_s)}` : ""}${row.error ? `: ${row.error}` : ""}`)))) : "");
  }

  // Standing questions, each for all of the picture or for a zone.
  asking({ asked, zones, own }) {
    if (!own.length) return el("p", { class: "soft" }, "These cameras are watched by a process of its own: hippocam live add --alert says what it tells.");
    const rows = el("div", { class: "asking" });
    const row = ({ text, zone }) => {
      const made = el("div", { class: "asked-row" },
        el("input", { type: "text", value: text, placeholder: "a person at the door", maxLength: 200, "aria-label": "Tell me when this is shown" }),
        zones.length ? el("select", { "aria-label": "Where" }, el("option", { value: "" }, "anywhere"), ...zones.map((name) => el("option", { value: name, selected: name === zone }, `in ${name}`))) : null,
        iconButton("trash", "Ask this no more", () => made.remove()));
      return made;
    };
    rows.append(...[...asked, ...(asked.length ? [] : [{ text: "", zone: "" }])].map(row));
    const save = async () => {
      const alerts = [...rows.children].map((made) => ({ text: made.querySelector("input").value, zone: made.querySelector("select")?.value || "" }));
      if (!(await attempt(() => post("cameras/alerts", { alerts })))) return;
      notice("The cameras watch for them.");
      this.page.root.activeElement?.blur();
      this.drawn = "";
      this.look();
    };
    return el("div", { class: "asking" }, el("p", { class: "soft" }, "Tell me when this is shown. Changing them starts the cameras anew."), rows,
      el("div", { class: "tile-actions" }, button("Another", () => { rows.append(row({ text: "", zone: "" })); rows.lastElementChild.querySelector("input").focus(); }, { kind: "small", icon: "add" }), button("Watch for these", save, { kind: "small" })));
  }

  // What it shows now, in the player.
  async watch(stream) {
    if (!this.page.stream(stream)) await this.page.refresh();
    if (!this.page.stream(stream)) return;
    this.page.player.moment = null;
    if (this.page.player.view?.name === stream) this.page.player.footage.live();
    go({ s: stream, t: "" });
  }

  open(stream, last) {
    if (this.page.stream(stream)) this.page.openMoment({ stream, t0_s: last || 0, t1_s: last || 0 }, { play: false });
    else this.page.refresh().then(() => this.page.stream(stream) && this.open(stream, last));
  }

  async footage(stream) {
    if (!this.page.stream(stream)) await this.page.refresh();
    const camera = this.found.cameras.find((one) => one.stream === stream);
    const t0 = camera.last_s - Math.min(60, camera.footage_s - 1);
    this.page.openMoment({ stream, t0_s: t0, t1_s: t0 });
  }

  async remove(stream) {
    if (!(await confirmed(`Stop watching ${stream}?`, [el("p", {}, "What was seen stays in the memory. The other cameras are opened anew.")], "Stop"))) return;
    await attempt(() => post("cameras/remove", { stream }));
    this.look();
  }
}
