// The page's own behaviour: the player and its seeks, uploads with progress, moments on a line.
// Text from the server is only ever set as textContent here.
(() => {
  "use strict";

  const POLL_MS = 700;
  const byId = (id) => document.getElementById(id);
  const state = { key: null, view: null, moment: null, turn: 0, broken: new Set(), hidden: new Set(), seen: new Map(),
    sending: new Map(), sent: 0, polling: false, awaited: null, show: null };

  const clock = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds));
    const two = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  };

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // the player ------------------------------------------------------------------------------------------

  // Show a stream; with a moment {t0, t1, picture} go there and play.
  async function show(key, moment = null) {
    if (!key) return;
    const turn = ++state.turn;
    if (key !== state.key || !state.view) {
      const response = await fetch(`hippocam/stream/${encodeURIComponent(key)}`);
      if (turn !== state.turn) return;
      if (!response.ok) return say("This stream is no longer in the memory.");
      state.view = await response.json();
      state.key = key;
      byId("hc-sync")?.click();
    }
    state.moment = moment;
    document.body.classList.remove("hc-empty");
    byId("hc-first").hidden = true;
    caption();
    const video = byId("hc-video");
    if (!state.view.video || state.broken.has(key)) return still();
    if (video.dataset.key !== key) {
      video.dataset.key = key;
      video.poster = state.view.picture ? `hippocam/picture/${state.view.picture}` : "";
      video.src = `hippocam/video/${key}`;
      marks();
    }
    video.hidden = false;
    byId("hc-still").hidden = true;
    say("");
    if (moment) {
      if (video.readyState >= HTMLMediaElement.HAVE_METADATA) seek(video);
      video.play().catch(() => {});  // where the browser wants a click on the player first, it stays at the moment
    }
  }

  function seek(video) {
    if (state.moment) video.currentTime = state.moment.t0;
  }

  // The picture in place of a video that cannot be played.
  function still() {
    const video = byId("hc-video");
    video.pause();
    video.hidden = true;
    const picture = state.moment?.picture || state.view.picture;
    const image = byId("hc-still");
    image.hidden = !picture;
    if (picture) image.src = `hippocam/picture/${picture}`;
    const why = state.broken.has(state.key)
      ? "This browser cannot play this video's format."
      : state.view.gone ? "The video file is no longer where it was." : "There is no video file to play.";
    say(`${why} ${picture ? "This is " + (state.moment ? `the moment at ${clock(state.moment.t0)}.` : "a picture from it.") : ""}`);
    marks();
  }

  function say(text) {
    const note = byId("hc-note");
    note.textContent = text;
    note.hidden = !text;
  }

  function caption() {
    const { name, source, duration_s: length, complete } = state.view;
    const place = byId("hc-caption");
    place.replaceChildren(make("strong", "", name), make("span", "", clock(length)));
    if (!complete) place.append(make("span", "hc-partly", "watched in part"));
    if (source && !source.startsWith(name)) place.append(make("span", "hc-source", source));
  }

  // Evidence as marks on a line under the player.
  function marks() {
    const line = byId("hc-marks");
    const video = byId("hc-video");
    const playing = video.dataset.key === state.key && Number.isFinite(video.duration);
    const length = playing ? video.duration : state.view?.duration_s;
    const cards = [...document.querySelectorAll(`.hc-card[data-stream="${state.key}"]`)];
    line.replaceChildren(...(length > 0 ? cards : []).map((card) => {
      const mark = make("button");
      const [t0, t1] = [Number(card.dataset.t0), Number(card.dataset.t1)];
      mark.type = "button";
      mark.tabIndex = -1;  // the cards say the same to keyboards and screen readers
      mark.title = `${clock(t0)} – ${clock(t1)}`;
      mark.style.left = `${Math.min(99.5, (100 * t0) / length)}%`;
      mark.style.width = `${Math.max(0.6, (100 * (t1 - t0)) / length)}%`;
      mark.addEventListener("click", () => open(card));
      return mark;
    }));
    line.hidden = !line.childElementCount;
  }

  function open(card) {
    for (const other of document.querySelectorAll(".hc-card[aria-current]")) other.removeAttribute("aria-current");
    card.setAttribute("aria-current", "true");
    const { stream, picture, t0, t1 } = card.dataset;
    show(stream, { picture, t0: Number(t0), t1: Number(t1) });
    const stage = byId("hc-stage");
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (stage.getBoundingClientRect().top < 0) stage.scrollIntoView({ behavior: calm ? "auto" : "smooth" });
  }

  // uploads ---------------------------------------------------------------------------------------------

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
    if (state.polling) return;
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

  // events ----------------------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const card = event.target.closest?.(".hc-card");
    if (card) open(card);
    if (event.target.closest?.("[data-add]")) byId("hc-file").click();
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "hc-file") return;
    for (const file of event.target.files) send(file);
    event.target.value = "";
  });
  const onVideo = (name, handler) => document.addEventListener(name, (event) => {
    if (event.target.id === "hc-video") handler(event.target);
  }, true);  // media events do not bubble
  const unplayable = (video) => {
    if (!video.getAttribute("src") || video.dataset.key !== state.key) return;
    state.broken.add(state.key);
    still();
  };
  onVideo("loadedmetadata", (video) => {
    if (!video.videoWidth) return unplayable(video);  // only its sound can be played
    seek(video);
    marks();
  });
  onVideo("error", (video) => {
    if (video.error?.code === MediaError.MEDIA_ERR_NETWORK) say("The connection to the server was lost.");
    else unplayable(video);
  });

  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (![...(event.dataTransfer?.types || [])].includes("Files")) return;
      event.preventDefault();
      byId("hc-stage")?.classList.toggle("hc-over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop") for (const file of event.dataTransfer.files) send(file);
    });
  }

  window.hippocam = {
    show,
    marks,
    current: () => state.key,
    // First state of the page: a stream, or the invitation to add a video.
    start(key) {
      byId("hc-result")?.setAttribute("aria-live", "polite");
      document.body.classList.toggle("hc-empty", !key);
      byId("hc-first").hidden = Boolean(key);
      if (key) show(key);
      poll(true);
    },
    refreshed(key) {
      const wanted = state.show || (state.key ? null : key);
      state.show = null;
      const video = byId("hc-video");
      const busy = !video.hidden && !video.paused && !video.ended;
      if (wanted && !busy) show(wanted);
    },
  };
})();
