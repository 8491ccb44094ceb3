// Adding videos: uploads with progress, the list of videos in work, what changes when one is done.
// Text from the server is only ever set as textContent here. Loaded after page.js.
(() => {
  "use strict";

  const POLL_MS = 700;
  const { byId, clock, make, show, current } = window.hippocam;
  const state = { hidden: new Set(), seen: new Map(), sending: new Map(), sent: 0, polling: false, awaited: null, show: null };

  function send(file) {
    const id = `up-${++state.sent}`;
    const entry = { id, name: file.name, state: "uploading", share: 0, note: "" };
    state.sending.set(id, entry);
    const limit = Number(byId("hc-stage").dataset.limit);
    const fail = (note) => { Object.assign(entry, { state: "failed", note }); draw(); };
    draw();
    if (file.size > limit) return fail(`larger than the ${limit / 1e9} GB that an upload may have`);
    const request = new XMLHttpRequest();
    request.open("POST", `hippocam/upload?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = (event) => { entry.share = event.loaded / file.size; draw(); };
    request.onerror = () => fail("the connection broke off; add it again");
    request.onload = () => {
      if (request.status !== 200) return fail(request.response?.error || `refused (${request.status})`);
      state.sending.delete(id);
      state.awaited = request.response.job;
      poll();
    };
    request.send(file);
  }

  // `first`: what was done before the page was opened is no news.
  async function poll(first = false) {
    if (state.polling || !byId("hc-file")) return;  // of several memories nothing is added to any
    state.polling = true;
    let busy = true;
    while (busy) {
      try {
        const jobs = await (await fetch("hippocam/watching")).json();
        for (const job of jobs) {
          if (first && job.state === "done") state.hidden.add(job.id);
          note(job);
        }
        first = false;
        draw(jobs);
        busy = jobs.some((job) => job.state === "waiting" || job.state === "watching");
      } catch {
        busy = false;
        draw();
      }
      if (busy) await new Promise((done) => setTimeout(done, POLL_MS));
    }
    state.polling = false;
  }

  // When a video comes to its first moments or its end, the list of streams and the sizes have changed.
  function note(job) {
    const before = state.seen.get(job.id);
    state.seen.set(job.id, job.state);
    if (before && before !== job.state && (job.state === "done" || job.state === "failed")) {
      if (job.state === "done" && job.id === state.awaited) state.show = job.stream;
      byId("hc-refresh")?.click();
    }
  }

  let listed = [];
  function draw(jobs = listed) {
    listed = jobs;
    const all = [...jobs, ...state.sending.values()].filter((job) => !state.hidden.has(job.id));
    byId("hc-jobs").replaceChildren(...all.map(row));
  }

  function row(job) {
    const element = make("div", `hc-job hc-${job.state}`);
    const words = {
      uploading: `uploading ${Math.round(100 * (job.share || 0))}%`,
      waiting: "waiting for its turn",
      watching: job.time_s > 0 ? `watching ${clock(job.time_s)}, ${job.speed.toFixed(1)}x real time` : "getting ready",
      done: job.note ? `watched; ${job.note}` : "watched",
      failed: `not watched: ${job.note}`,
    };
    element.append(make("span", "hc-job-name", job.name), make("span", "hc-job-state", words[job.state]));
    if (job.state === "done" || job.state === "failed") {
      if (job.stream) {
        const view = make("button", "", "Show");
        view.addEventListener("click", () => show(job.stream));
        element.append(view);
      }
      const close = make("button", "", "×");
      close.setAttribute("aria-label", `Dismiss ${job.name}`);
      close.addEventListener("click", () => { state.hidden.add(job.id); draw(); });
      element.append(close);
    } else {
      const bar = make("progress");
      bar.max = 1;
      if (job.share !== null) bar.value = job.share;
      bar.setAttribute("aria-label", `${job.name}: ${words[job.state]}`);
      element.append(bar);
    }
    return element;
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-add]")) byId("hc-file").click();
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "hc-file") return;
    for (const file of event.target.files) send(file);
    event.target.value = "";
  });
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (!byId("hc-file") || ![...(event.dataTransfer?.types || [])].includes("Files")) return;
      event.preventDefault();
      byId("hc-stage")?.classList.toggle("hc-over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop") for (const file of event.dataTransfer.files) send(file);
    });
  }

  window.hippocam.poll = poll;

  // The list of streams has been read again; `key` is what it stands at.
  window.hippocam.refreshed = (key) => {
    const wanted = state.show || (current() ? null : key);
    state.show = null;
    const video = byId("hc-video");
    const busy = !video.hidden && !video.paused && !video.ended;
    if (wanted && !busy) show(wanted);
  };
})();
