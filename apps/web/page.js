// The player: streams, seeks to moments, moments on a line, pictures where there is nothing to play.
// Text from the server is only ever set as textContent here.
(() => {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const state = { key: null, view: null, moment: null, turn: 0, broken: new Set() };

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

  // Show a stream; with a moment {t0, t1, picture, frame} go there and play.
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
    const moment = state.moment;
    const picture = moment ? moment.picture : state.view.picture;
    const image = byId("hc-still");
    image.hidden = !picture;
    if (picture) image.src = `hippocam/picture/${picture}`;
    const why = state.broken.has(state.key)
      ? "This browser cannot play this video's format."
      : state.view.gone ? "The video file is no longer where it was." : "There is no video file to play.";
    say(`${why} ${shown(moment, picture)}`);
    marks();
  }

  // What the picture in place of the video is.
  function shown(moment, picture) {
    if (!moment) return picture ? "This is a picture from it." : "";
    if (!picture) return "The picture of this moment was given up for the budget.";
    const within = moment.t0 <= moment.frame && moment.frame <= moment.t1;
    return within ? `This is the moment at ${clock(moment.t0)}.` : `It looked like this at ${clock(moment.frame)}.`;
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
    const cards = [...document.querySelectorAll(`:is(.hc-card, .hc-jump)[data-stream="${state.key}"]`)];
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
    for (const other of document.querySelectorAll("#hc-result [aria-current]")) other.removeAttribute("aria-current");
    card.setAttribute("aria-current", "true");
    const { stream, picture, frame, t0, t1 } = card.dataset;
    show(stream, { picture, frame: Number(frame), t0: Number(t0), t1: Number(t1) });
    const stage = byId("hc-stage");
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (stage.getBoundingClientRect().top < 0) stage.scrollIntoView({ behavior: calm ? "auto" : "smooth" });
  }

  // events ----------------------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const card = event.target.closest?.(".hc-card, .hc-jump");
    if (card) open(card);
  });
  document.addEventListener("error", ({ target }) => {  // a picture that was given up since
    if (target.matches?.(".hc-thumb img")) target.replaceWith(make("span", "hc-nopicture", "picture given up for the budget"));
    else if (target.id === "hc-still") target.hidden = true;
  }, true);
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

  window.hippocam = {
    byId,
    clock,
    make,
    show,
    marks,
    current: () => state.key,
    // First state of the page: a stream, or the invitation to add a video.
    start(key) {
      byId("hc-result")?.setAttribute("aria-live", "polite");
      document.body.classList.toggle("hc-empty", !key);
      byId("hc-first").hidden = Boolean(key);
      if (key) show(key);
      window.hippocam.poll(true);
    },
  };
})();
