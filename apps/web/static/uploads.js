// Uploads in parts: progress, pause, going on after the connection or the page was lost.

import { get, post, remove, send } from "./net.js";
import { keep, kept, visitor } from "./state.js";

const PART_BYTES = 16_000_000;
const TRIES = 5;

export class Uploads {
  constructor(jobs) {
    this.jobs = jobs;
    this.uploads = new Map();
  }

  list() { return [...this.uploads.values()].map(({ file, ...told }) => told); }

  add(files) {
    for (const file of files) this.begin(file);
  }

  async begin(file) {
    const ref = `${file.name}:${file.size}:${file.lastModified}`;
    const limit = this.jobs.page.held.limit_bytes;
    const upload = { id: ref, ref, kind: "upload", name: file.name, size: file.size, state: "running", share: 0, note: "", own: true, file };
    this.uploads.set(ref, upload);
    this.jobs.draw();
    if (file.size > limit) return this.fail(upload, `larger than the ${limit / 1e9} GB that an upload may have`, false);
    return this.go(upload);
  }

  async go(upload) {
    upload.state = "running";
    upload.resumable = false;
    try {
      const begun = kept("uploads", {});
      let id = begun[upload.ref];
      let at = id ? await get(`uploads/${id}`).then((found) => found.at, () => null) : null;
      if (at === null) {
        ({ id } = await post("uploads", { name: upload.name, size: upload.size, visitor: visitor() }));
        at = 0;
        keep("uploads", { ...kept("uploads", {}), [upload.ref]: id });
      }
      upload.server = id;
      await this.parts(upload, at);
    } catch (error) {
      this.fail(upload, error.message, true);
    }
  }

  async parts(upload, from) {
    let [at, tries] = [from, 0];
    while (upload.state === "running") {
      upload.share = at / upload.size;
      this.jobs.draw();
      try {
        const part = upload.file.slice(at, at + PART_BYTES);
        const found = await send(`uploads/${upload.server}?at=${at}&visitor=${visitor()}`, part);
        tries = 0;
        if (found.job) return this.finish(upload);
        at = found.at;
      } catch (error) {
        if (++tries >= TRIES || error.message !== "the server cannot be reached") throw error;
        await new Promise((done) => setTimeout(done, 1000 * tries));
        at = (await get(`uploads/${upload.server}`).catch(() => ({ at }))).at;
      }
    }
    return undefined;
  }

  finish(upload) {
    this.forget(upload);
    this.uploads.delete(upload.id);
    this.jobs.draw();
    this.jobs.poll();
  }

  pause(id) {
    const upload = this.uploads.get(id);
    if (upload) Object.assign(upload, { state: "cancelled", note: "paused", resumable: true });
    this.jobs.draw();
  }

  resume(id) {
    const upload = this.uploads.get(id);
    if (upload) this.go(upload);
  }

  drop(id) {
    const upload = this.uploads.get(id);
    if (!upload) return;
    this.uploads.delete(id);
    if (upload.server) remove(`uploads/${upload.server}`).catch(() => {});
    this.forget(upload);
  }

  fail(upload, note, resumable) {
    Object.assign(upload, { state: "failed", note, resumable });
    this.jobs.draw();
  }

  forget(upload) {
    const begun = kept("uploads", {});
    delete begun[upload.ref];
    keep("uploads", begun);
  }
}
