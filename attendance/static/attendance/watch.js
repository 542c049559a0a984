/**
 * The heartbeat of a video on demand. The server times it: this only says where the player is, in answer to the
 * last nonce. The page's words come from the template.
 *
 * @typedef {{open: string, watches: string, material: number, every: number}} WatchData
 * @typedef {{watch: string, seq: number, nonce: string}} Watch
 */

import { Refused, csrfToken, send } from "../yc/http.js";

const data = /** @type {WatchData} */ (JSON.parse(document.getElementById("watch-data")?.textContent ?? "null"));
const video = /** @type {HTMLVideoElement} */ (document.querySelector("[data-watch]"));
const line = /** @type {HTMLElement} */ (document.querySelector("[data-watch-state]"));
const again = /** @type {HTMLButtonElement} */ (document.querySelector("[data-watch-again]"));

/** @type {Watch | null} */
let watch = null;
/** @type {Promise<void> | null} */
let sending = null;
let wanted = false; // another heartbeat, as soon as the one on its way is answered
let stopped = false; // until the person says so: another page took over

const place = () => Math.floor(video.currentTime * 1000);
const plays = () => !video.paused && !video.ended && !video.seeking;

/** @param {"idle" | "timed" | "paused" | "offline"} state */
function show(state) {
  line.textContent = line.dataset[state] ?? "";
}

/** Send one heartbeat, or open a watch where there is none; never two at a time. */
function beat() {
  if (stopped) return;
  if (sending) {
    wanted = true;
    return;
  }
  sending = once().finally(() => {
    sending = null;
    if (wanted) {
      wanted = false;
      beat();
    }
  });
}

async function once() {
  try {
    if (!watch) {
      if (!plays()) return;
      watch = await send(data.open, { data: { material: data.material, position_ms: place() } });
    } else {
      const { watch: id, seq, nonce } = watch;
      watch = await send(`${data.watches}${id}/beat/`, {
        data: { seq: seq + 1, nonce, position_ms: place(), playing: plays() },
      });
    }
    show(plays() ? "timed" : "paused");
  } catch (error) {
    if (!(error instanceof Refused) || error.status === 0 || error.status >= 500) {
      show("offline");
      return;
    }
    watch = null;
    stopped = true;
    video.pause();
    line.textContent = error.refusal.message;
    again.hidden = false;
  }
}

again.addEventListener("click", () => {
  stopped = false;
  again.hidden = true;
  void video.play();
});
for (const event of ["playing", "pause", "ended", "seeked", "ratechange"]) video.addEventListener(event, beat);
setInterval(() => {
  if (plays()) beat();
}, data.every * 1000);

// Leaving the page stops the clock at once; what is lost with the page ends by itself at the last heartbeat.
addEventListener("pagehide", () => {
  if (!watch) return;
  const url = `${data.watches}${watch.watch}/end/`;
  watch = null;
  void fetch(url, { method: "POST", keepalive: true, headers: { "X-CSRFToken": csrfToken() } }).catch(() => undefined);
});
