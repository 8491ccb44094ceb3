// Zones and masks, drawn over a camera's picture: corners are dragged or moved by keys, and added between two others.

import { button, el, iconButton } from "./dom.js";
import { get, post } from "./net.js";
import { attempt, form, notice } from "./notices.js";

const SVG = "http://www.w3.org/2000/svg";
const START = [[0.3, 0.35], [0.7, 0.35], [0.7, 0.85], [0.3, 0.85]];
const STEP = 0.01;
const LEAST_CORNERS = 3;

const clamped = (share) => Math.round(Math.min(1, Math.max(0, share)) * 1e4) / 1e4;
const middle = ([x0, y0], [x1, y1]) => [clamped((x0 + x1) / 2), clamped((y0 + y1) / 2)];

// Opens the editor of a stream's picture; gives whether something was saved.
export const editZones = async (page, stream, picture) => {
  const { key } = page.stream(stream);
  const held = await attempt(() => get(`zones/${key}`));
  if (!held) return false;
  const editor = new Editor(held, picture);
  const saved = await form(`Zones and masks of ${page.title(stream)}`, editor.element, "Save", async () => {
    const unnamed = editor.unnamed();
    if (unnamed) { unnamed.focus(); notice("Each zone needs a name of its own.", { kind: "bad" }); return false; }
    return Boolean(await attempt(() => post(`zones/${key}`, editor.value())));
  });
  if (saved) notice("Saved: the camera is looked at so from now on.");
  return saved;
};

class Editor {
  constructor({ zones, masks }, picture) {
    this.shapes = [...Object.entries(zones).map(([name, corners]) => ({ name, corners })), ...masks.map((corners) => ({ name: null, corners }))];
    this.drawing = document.createElementNS(SVG, "svg");
    this.drawing.setAttribute("viewBox", "0 0 1 1");
    this.drawing.setAttribute("preserveAspectRatio", "none");
    this.handles = el("div", { class: "zone-handles" });
    this.stage = el("div", { class: "zone-stage" }, el("img", { src: picture, alt: "The camera's newest picture" }), this.drawing, this.handles);
    this.list = el("ul", { class: "plain-list zone-list" });
    this.element = el("div", { class: "zone-editor" },
      el("p", { class: "soft" }, "Alerts can look in a zone alone. What a mask covers nobody looks at: it is grey before anything is kept. Drag the corners, or move them with the arrow keys; a click between two adds one, Delete takes one away."),
      this.stage, this.list,
      el("div", { class: "tile-actions" }, button("Add a zone", () => this.add(""), { kind: "small", icon: "add" }), button("Add a mask", () => this.add(null), { kind: "small", icon: "add" })));
    this.draw();
  }

  value() {
    return {
      zones: Object.fromEntries(this.shapes.filter((shape) => shape.name !== null).map((shape) => [shape.name.trim(), shape.corners])),
      masks: this.shapes.filter((shape) => shape.name === null).map((shape) => shape.corners),
    };
  }

  // The first zone without a name, or with that of another: its box.
  unnamed() {
    const names = this.shapes.map((shape) => shape.name?.trim());
    const at = names.findIndex((name, index) => name !== undefined && (!name || names.indexOf(name) !== index));
    return at < 0 ? null : this.list.children[at].querySelector("input");
  }

  add(name) {
    this.shapes.push({ name, corners: START.map((corner) => [...corner]) });
    this.draw();
    const row = this.list.lastElementChild;
    (row.querySelector("input") || this.handles.lastElementChild).focus();
  }

  draw() {
    this.list.replaceChildren(...this.shapes.map((shape, index) => el("li", {},
      el("i", { class: shape.name === null ? "mask-mark" : "zone-mark" }),
      shape.name === null ? el("span", {}, "Mask") : el("input", { type: "text", value: shape.name, placeholder: "Name of the zone, as gate", maxLength: 40, "aria-label": "Name of the zone",
        on: { input: (event) => { shape.name = event.target.value; } } }),
      el("span", { class: "gap" }),
      iconButton("trash", "Take it away", () => { this.shapes.splice(index, 1); this.draw(); }))));
    this.outline();
    this.handles.replaceChildren(...this.shapes.flatMap((shape) => this.handlesOf(shape)));
  }

  outline() {
    this.drawing.replaceChildren(...this.shapes.map((shape) => {
      const polygon = document.createElementNS(SVG, "polygon");
      polygon.setAttribute("points", shape.corners.map((corner) => corner.join(",")).join(" "));
      polygon.setAttribute("class", shape.name === null ? "mask" : "zone");
      return polygon;
    }));
  }

  // Its corners, and between two of them each a place for another.
  handlesOf(shape) {
    const what = shape.name === null ? "the mask" : shape.name || "the zone";
    return shape.corners.flatMap((corner, index) => {
      const next = shape.corners[(index + 1) % shape.corners.length];
      const at = (place, kind, label, on) => el("button", { type: "button", class: kind, style: `left:${100 * place[0]}%;top:${100 * place[1]}%`, title: label, "aria-label": label, on });
      return [
        at(corner, "corner", `Corner ${index + 1} of ${what}`, { pointerdown: (event) => this.drag(event, shape, index), keydown: (event) => this.keyed(event, shape, index) }),
        at(middle(corner, next), "between", `Another corner of ${what}`, { click: () => this.insert(shape, index) }),
      ];
    });
  }

  insert(shape, index) {
    shape.corners.splice(index + 1, 0, middle(shape.corners[index], shape.corners[(index + 1) % shape.corners.length]));
    this.draw();
    this.focus(shape, index + 1);
  }

  focus(shape, index) {
    const before = this.shapes.slice(0, this.shapes.indexOf(shape)).reduce((sum, one) => sum + one.corners.length, 0);
    this.handles.querySelectorAll(".corner")[before + index].focus();
  }

  drag(event, shape, index) {
    const handle = event.currentTarget;
    const box = this.stage.getBoundingClientRect();
    handle.setPointerCapture(event.pointerId);
    const move = (now) => {
      shape.corners[index] = [clamped((now.clientX - box.left) / box.width), clamped((now.clientY - box.top) / box.height)];
      [handle.style.left, handle.style.top] = shape.corners[index].map((share) => `${100 * share}%`);
      this.outline();
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", () => { handle.removeEventListener("pointermove", move); this.draw(); this.focus(shape, index); }, { once: true });
  }

  keyed(event, shape, index) {
    const [x, y] = shape.corners[index];
    const by = event.shiftKey ? 5 * STEP : STEP;
    const to = { ArrowLeft: [x - by, y], ArrowRight: [x + by, y], ArrowUp: [x, y - by], ArrowDown: [x, y + by] }[event.key];
    if (to) shape.corners[index] = to.map(clamped);
    else if (event.key === "Delete" && shape.corners.length > LEAST_CORNERS) shape.corners.splice(index, 1);
    else return;
    event.preventDefault();
    this.draw();
    this.focus(shape, Math.min(index, shape.corners.length - 1));
  }
}
