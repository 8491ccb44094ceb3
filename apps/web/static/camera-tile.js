// A camera as a tile: its moving picture, how it is, and what can be done with it. It stays while that changes.

import { button, clock, el, iconButton, lasting, many } from "./dom.js";
import { LivePicture } from "./live-picture.js";

const LAST_S = 60;

export class CameraTile {
  constructor(view, stream) {
    this.view = view;
    this.stream = stream;
    this.tag = el("span", { class: "tag" });
    this.still = el("span", { class: "no-picture" });
    this.poster = el("button", { type: "button", class: "poster", "aria-label": `Open ${stream}`, on: { click: () => this.open() } }, this.still, this.tag);
    this.name = el("h2", {});
    this.told = el("p", { class: "soft" });
    this.troubles = el("p", { class: "warn" });
    this.actions = el("div", { class: "tile-actions" });
    this.element = el("article", { class: "tile camera", data: { stream } }, this.poster,
      el("div", { class: "tile-body" }, this.name, this.told, this.troubles, this.actions));
  }

  // Shows how the camera is now: running, about to be, or not watched any more.
  update(camera, { may_add: may, own }) {
    this.camera = camera;
    this.name.textContent = this.view.page.title(this.stream);
    this.say(camera);
    this.show(camera);
    const doable = JSON.stringify([Boolean(camera.footage_s > 1), may, own.includes(this.stream), Boolean(this.picture || camera.past)]);
    if (doable !== this.doable) this.actions.replaceChildren(...this.offered(camera, may, own));
    this.doable = doable;
  }

  say({ state, past, waits, last_s: last, size, fps_in: fps, latency_s: latency, gaps, dropped, restarts, damaged, unheard_s: unheard, error }) {
    this.tag.textContent = past ? "not watched now" : state || "";
    this.tag.className = `tag state-${(state || "").replace(" ", "-")}`;
    this.tag.hidden = Boolean(waits);
    this.told.textContent = past ? `last seen ${clock(last)}` : waits ? "" : last ? `${clock(last)} · ${size[0]}×${size[1]}, ${fps.toFixed(1)} fps · found after ${Math.round(1000 * latency)} ms` : "no frame yet";
    const wrong = [gaps && many(gaps, "gap"), dropped && `${dropped} frames dropped`, restarts && many(restarts, "restart"), damaged && `${damaged} packets damaged`, unheard >= 1 && `${lasting(unheard)} of sound not heard`, state && state !== "live" && error].filter(Boolean);
    this.troubles.textContent = wrong.join(" · ");
    this.troubles.hidden = !wrong.length;
  }

  // The moving picture of a running camera; of any other a picture that is held, or why there is none.
  show({ past, waits, last_s: last, key, moves }) {
    if (!past && !waits && last) {
      if (!this.picture) {
        this.picture = new LivePicture(this.stream, key, this.view.page.stream(this.stream)?.picture);
        this.still.replaceWith(this.picture.element);
      }
      this.picture.moves = moves;
      return;
    }
    this.stop();
    const held = past ? this.view.page.stream(this.stream)?.picture : "";
    const text = waits || (past ? "" : "no frame yet");
    if (this.still.dataset.shown === `${held}|${text}`) return;
    this.still.dataset.shown = `${held}|${text}`;
    this.still.className = held ? "live-picture" : "no-picture";
    this.still.replaceChildren(held ? el("img", { src: `hippocam/picture/${held}`, alt: "" }) : text);
  }

  stop() {
    if (!this.picture) return;
    this.picture.close();
    this.picture.element.replaceWith(this.still);
    this.picture = null;
  }

  close() { this.stop(); }

  offered(camera, may, own) {
    const held = this.view.page.stream(this.stream)?.picture;
    const picture = this.picture ? `hippocam/cameras/${encodeURIComponent(this.stream)}/frame?zones` : held ? `hippocam/picture/${held}` : "";
    return [
      camera.footage_s > 1 ? button(`Play the last ${lasting(Math.min(LAST_S, camera.footage_s))}`, () => this.view.footage(this.stream), { kind: "small", icon: "play" }) : null,
      el("span", { class: "gap" }),
      may && picture ? iconButton("zones", "Zones and masks", () => this.view.zones(this.stream, picture)) : null,
      own.includes(this.stream) ? iconButton("trash", "Stop watching it", () => this.view.remove(this.stream)) : null,
    ].filter(Boolean);
  }

  open() {
    if (this.camera.past) this.view.open(this.stream, this.camera.last_s);
    else if (!this.camera.waits) this.view.watch(this.stream);
  }
}
