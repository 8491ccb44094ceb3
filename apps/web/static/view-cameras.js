// Cameras: a tile each with its newest frame, what is wrong with it, its last minutes; standing questions and their alerts.

import { button, clock, el, empty, iconButton, lasting, many } from "./dom.js";
import { get, post } from "./net.js";
import { attempt, confirmed, notice } from "./notices.js";
import { go } from "./state.js";
import { editZones } from "./zones.js";

const EVERY_MS = 3000;
const WORDS = { live: "live", connecting: "connecting", away: "away", ended: "ended", "given up": "given up" };

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
    this.form = this.adding();
    this.element = el("section", { class: "cameras" }, el("div", { class: "view-head" }, el("h1", {}, "Cameras"), this.told = el("span", { class: "soft" })), this.form, this.tiles, this.body);
    this.shown = new Map();
  }

  enter() {
    clearInterval(this.timer);
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
    if (found.error) return this.tiles.replaceChildren(empty("The cameras cannot be asked", found.error));
    this.found = found;
    this.form.hidden = !found.may_add;
    const live = new Set(found.cameras.map((camera) => camera.stream));
    this.told.textContent = found.running ? [many(found.cameras.length, "camera"), ...sharesTold(found.shares)].join(" · ") : "";
    const starting = found.own.filter((stream) => !live.has(stream)).map((stream) => this.waiting(stream, found.failed));
    const past = found.past.filter((one) => !live.has(one.stream) && !found.own.includes(one.stream));
    const tiles = [...found.cameras.map((camera) => this.tile(camera)), ...starting, ...past.map((one) => this.pastTile(one))];
    this.tiles.replaceChildren(...(tiles.length ? tiles : [empty("No camera is watched", found.may_add
      ? "Add the address of one above: it is watched as long as this page runs. A process of its own can watch them too: hippocam live add NAME=rtsp://…"
      : "Whoever started this page can watch cameras: hippocam live add NAME=rtsp://…")]));
    if (!this.body.contains(this.page.root.activeElement)) this.drawBody(found);
    return undefined;
  }

  tile(camera) {
    const { stream } = camera;
    if (!this.shown.has(stream)) this.shown.set(stream, el("img", { alt: `Newest frame of ${stream}` }));
    const image = this.shown.get(stream);
    image.src = `hippocam/cameras/${encodeURIComponent(stream)}/frame?${Math.round(camera.last_s || 0)}`;
    const troubles = [camera.gaps && many(camera.gaps, "gap"), camera.dropped && `${camera.dropped} frames dropped`, camera.restarts && many(camera.restarts, "restart"), camera.damaged && `${camera.damaged} packets damaged`, camera.unheard_s >= 1 && `${lasting(camera.unheard_s)} of sound not heard`].filter(Boolean);
    return el("article", { class: "tile camera", data: { stream } },
      el("button", { type: "button", class: "poster", "aria-label": `Open ${stream}`, on: { click: () => this.watch(stream) } }, image, el("span", { class: `tag state-${camera.state.replace(" ", "-")}` }, WORDS[camera.state] || camera.state)),
      el("div", { class: "tile-body" }, el("h2", {}, this.page.title(stream)),
        el("p", { class: "soft" }, camera.last_s ? `${clock(camera.last_s)} · ${camera.size[0]}×${camera.size[1]}, ${camera.fps_in.toFixed(1)} fps · found after ${Math.round(1000 * camera.latency_s)} ms` : "no frame yet"),
        troubles.length ? el("p", { class: "warn" }, troubles.join(" · ")) : null,
        camera.error && camera.state !== "live" ? el("p", { class: "warn" }, camera.error) : null,
        el("div", { class: "tile-actions" },
          camera.footage_s > 1 ? button(`Play the last ${lasting(Math.min(60, camera.footage_s))}`, () => this.footage(stream), { kind: "small", icon: "play" }) : null, el("span", { class: "gap" }),
          this.zonesButton(stream, `hippocam/cameras/${encodeURIComponent(stream)}/frame?zones`),
          this.found.own.includes(stream) ? iconButton("trash", "Stop watching it", () => this.remove(stream)) : null)));
  }

  waiting(stream, failed) {
    return el("article", { class: "tile camera" }, el("div", { class: "poster" }, el("span", { class: "no-picture" }, failed || "is being opened…")),
      el("div", { class: "tile-body" }, el("h2", {}, stream), el("div", { class: "tile-actions" }, el("span", { class: "gap" }), iconButton("trash", "Stop watching it", () => this.remove(stream)))));
  }

  pastTile(one) {
    const stream = this.page.stream(one.stream);
    return el("article", { class: "tile camera", data: { stream: one.stream } },
      el("button", { type: "button", class: "poster", "aria-label": `Open ${one.stream}`, on: { click: () => this.open(one.stream, one.last_s) } },
        el("img", { src: stream?.picture ? `hippocam/picture/${stream.picture}` : "", alt: "" }), el("span", { class: "tag" }, "not watched now")),
      el("div", { class: "tile-body" }, el("h2", {}, this.page.title(one.stream)), el("p", { class: "soft" }, `last seen ${clock(one.last_s)}`),
        el("div", { class: "tile-actions" }, el("span", { class: "gap" }), this.zonesButton(one.stream, stream?.picture ? `hippocam/picture/${stream.picture}` : ""))));
  }

  // Draws zones and masks over a camera's newest picture.
  zonesButton(stream, picture) {
    if (!this.found.may_add || !picture) return null;
    return iconButton("zones", "Zones and masks", async () => {
      if (!this.page.stream(stream)) await this.page.refresh();
      if (!this.page.stream(stream)) return notice("Its first moment is not kept yet; try again in some seconds.");
      if (await editZones(this.page, stream, picture)) this.look();
      return undefined;
    });
  }

  drawBody(found) {
    const { alerts, log } = found;
    const asking = found.may_add && (found.cameras.length || found.own.length) ? this.asking(found) : null;
    this.body.replaceChildren(
      asking || alerts.length ? el("section", { class: "panel" }, el("h2", {}, "Alerts"), asking,
        el("ol", { class: "alerts" }, ...alerts.map((alert) => el("li", {},
          alert.picture ? el("img", { src: `hippocam/alert-picture/${alert.picture}`, alt: "", loading: "lazy" }) : null,
          el("button", { type: "button", class: "jump", on: { click: () => this.page.openMoment({ stream: alert.stream, t0_s: alert.time_s, t1_s: alert.time_s }, { play: false }) } }, clock(alert.time_s)),
          el("span", {}, alert.text), el("span", { class: "soft" }, this.page.title(alert.stream)))))) : "",
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
