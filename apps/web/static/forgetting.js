// Forgetting: what it would delete is told first.

import { clock, el, many } from "./dom.js";
import { post } from "./net.js";
import { attempt, confirmed, notice } from "./notices.js";

export const forget = async (page, what, title) => {
  const preview = await attempt(() => post("forget/preview", what));
  if (!preview) return false;
  const lines = preview.streams.map((one) => el("li", {}, `${page.title(one.stream)}: ${many(one.entries, "event")}, ${clock(one.t0_s)} to ${clock(one.t1_s)}`));
  const files = preview.files.map((name) => el("li", {}, `the uploaded file ${name}`));
  const said = lines.length || files.length ? el("ul", {}, ...lines, ...files) : el("p", {}, "Nothing of it is held any more; what is known of it goes.");
  const sure = await confirmed(title, [el("p", {}, "This deletes, with everything that was made of it, down to the bytes on the disk:"), said, el("p", { class: "warn" }, "It cannot be undone.")], "Forget", { bad: true });
  if (!sure) return false;
  const gone = await attempt(() => post("forget", what));
  if (!gone) return false;
  notice(`${many(gone.entries, "event")} forgotten${gone.files?.length ? `, with ${many(gone.files.length, "file")}` : ""}.`);
  for (const stays of gone.kept || []) notice(stays);
  await page.refresh();
  return true;
};
