// Short notices at the edge, and dialogs that ask.

import { button, el } from "./dom.js";

export const toasts = el("div", { class: "toasts", role: "status", "aria-live": "polite" });
export const dialogs = el("div", {});
const SHOWN_MS = 5000;

export const notice = (text, { kind = "", action, label } = {}) => {
  const line = el("div", { class: `toast ${kind}` }, el("span", {}, text));
  if (action) line.append(button(label, () => { line.remove(); action(); }, { kind: "small" }));
  toasts.append(line);
  setTimeout(() => line.remove(), kind === "bad" ? 2 * SHOWN_MS : SHOWN_MS);
  return line;
};

export const failed = (error) => {
  if (error?.name !== "AbortError") notice(error?.message || String(error), { kind: "bad" });
};

// Runs what may fail, and says so if it does.
export const attempt = async (work) => {
  try {
    return await work();
  } catch (error) {
    failed(error);
    return null;
  }
};

export const closeDialogs = () => dialogs.replaceChildren();

const opened = (title, body, actions) => {
  const dialog = el("dialog", { class: "dialog", "aria-label": title }, el("h2", {}, title), ...body, el("div", { class: "dialog-actions" }, ...actions));
  dialog.addEventListener("close", () => dialog.remove());
  dialogs.append(dialog);
  dialog.showModal();
  return dialog;
};

export const show = (title, ...body) => {
  const dialog = opened(title, body, [button("Close", () => dialog.close(), { autofocus: true })]);
  return dialog;
};

// Asks whether to go on; gives true or false.
export const confirmed = (title, body, label, { bad = false } = {}) =>
  new Promise((done) => {
    let said = false;
    const dialog = opened(title, body, [
      button("Cancel", () => dialog.close(), { autofocus: bad }),
      button(label, () => { said = true; dialog.close(); }, { kind: bad ? "bad" : "primary" }),
    ]);
    dialog.addEventListener("close", () => done(said));
  });

// Asks which of some things is meant, [name, label] each; gives its name, or "".
export const chosen = (title, body, choices) =>
  new Promise((done) => {
    let said = "";
    const dialog = opened(title, body, [
      button("Cancel", () => dialog.close()),
      ...choices.map(([name, label]) => button(label, () => { said = name; dialog.close(); }, { kind: "primary" })),
    ]);
    dialog.addEventListener("close", () => done(said));
  });

// Shows what can be edited; `save` says whether it was saved. Gives whether it was.
export const form = (title, body, label, save) =>
  new Promise((done) => {
    let said = false;
    const dialog = opened(title, [body], [
      button("Cancel", () => dialog.close()),
      button(label, async () => { said = await save(); if (said) dialog.close(); }, { kind: "primary" }),
    ]);
    dialog.classList.add("wide");
    dialog.addEventListener("close", () => done(said));
  });

// Asks for a line of text; gives it, or null.
export const asked = (title, label, value = "", does = "Save") =>
  new Promise((done) => {
    let said = null;
    const input = el("input", { type: "text", value, maxLength: 200 });
    const dialog = opened(title, [el("label", { class: "field" }, el("span", {}, label), input)], [
      button("Cancel", () => dialog.close()),
      button(does, () => { said = input.value; dialog.close(); }, { kind: "primary" }),
    ]);
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();  // or it would press the button that the focus goes back to
      said = input.value;
      dialog.close();
    });
    dialog.addEventListener("close", () => done(said));
    input.select();
  });
