// Another budget for the memory: what it would give up is tried out and told, then it is set.

import { bytes, el, many } from "./dom.js";
import { get, post } from "./net.js";
import { attempt, confirmed, notice } from "./notices.js";
import { go, visitor } from "./state.js";

// What a budget that was tried out would do to the events, in words.
export const outcome = ({ entries, of, pictures, merged, given_up: gone }) => {
  const went = [merged && `${many(merged, "event")} merged into others`, gone && `${gone} given up`].filter(Boolean).join(", ");
  return `It would hold ${entries} of ${many(of, "event")}, ${pictures} with their picture${went ? `; ${went}` : ""}.`;
};

export const setBudget = async (page, mb) => {
  const tried = await attempt(() => get("memory/what-if", { budget_mb: mb }));
  if (!tried) return false;
  const smaller = mb * 1e6 < page.held.budget_bytes;
  const sure = await confirmed(`Set the budget to ${mb} MB?`, [
    el("p", {}, `It is ${bytes(page.held.budget_bytes)} now, of which ${bytes(page.held.bytes)} are used. ${outcome(tried)}`),
    smaller ? el("p", { class: "warn" }, "What is given up for it does not come back with a larger budget.") : "",
  ], "Set the budget", { bad: smaller });
  if (!sure || !(await attempt(() => post("memory/budget", { budget_mb: mb, visitor: visitor() })))) return false;
  notice("The budget is being changed; what comes of it stands in Jobs.", { label: "Jobs", action: () => go({ v: "jobs" }) });
  page.jobs.poll();
  return true;
};

// A field for a budget in MB, with a button that sets it.
export const budgetField = (page, mb, onInput = () => {}) => {
  const field = el("input", { type: "number", class: "budget-mb", min: 1, max: 1e6, step: "any", value: mb, required: true, "aria-label": "Budget in MB", on: { input: () => field.checkValidity() && onInput(field.value) } });
  const form = el("form", { class: "budget-form", on: { submit: (event) => { event.preventDefault(); setBudget(page, Number(field.value)); } } },
    field, el("span", {}, "MB"), el("button", { type: "submit", class: "button small" }, "Set the budget"));
  return { form, field };
};
