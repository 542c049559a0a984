/** The sign-in page: try the devices, take a burst of frames, sign in, follow it until it is decided. */

import { NoCamera, asForm, brightness, capture, closeCamera, openCamera, shrink } from "../identity/camera.js";
import { Refused, send } from "../yc/http.js";
import { measureNetwork, playTone } from "./devices.js";

const FRAMES = 5;
const DARK = 40; // mean brightness, 0 to 255
const LIGHT_EVERY = 1000;
const ASK_EVERY = 700;
const ASK_SELDOM = 3000;
const PATIENCE = 15000;

/**
 * A sign-in as `GET /api/v1/lessons/{id}/sign-in/` answers it.
 * @typedef {{id: number | null, state: string, method: string | null, message: string, next: string}} SignIn
 */

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// --- devices ---

const devices = document.getElementById("devices");

/**
 * @param {string} name - camera, microphone, sound, network
 * @param {"good" | "weak" | "none" | "off" | "heard"} verdict
 */
function tellDevice(name, verdict) {
  const cell = devices?.querySelector(`[data-device="${name}"]`);
  if (!devices || !cell) return;
  const css = { good: "t-ok", heard: "t-ok", weak: "t-look", none: "t-stop", off: "t-stop" }[verdict];
  const place = cell.querySelector("small") ?? document.createElement("small");
  place.className = css;
  place.textContent = devices.dataset[verdict] ?? "";
  cell.querySelector("button")?.replaceWith(place);
  cell.querySelector("svg")?.setAttribute("class", `i ${css}`);
}

async function tryDevices() {
  if (!devices) return;
  const quality = await measureNetwork(devices.dataset.probe ?? "");
  tellDevice("network", quality);
  if (quality === "weak") devices.querySelector("[data-device-note]")?.removeAttribute("hidden");
  const found = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  tellDevice("microphone", found.some((device) => device.kind === "audioinput") ? "good" : "none");
  if (!found.some((device) => device.kind === "videoinput")) tellDevice("camera", "none");
}

devices?.querySelector("[data-device-sound]")?.addEventListener("click", async () => {
  tellDevice("sound", (await playTone()) ? "heard" : "none");
});
void tryDevices();

// --- a sign-in that waits: the page shows the next state by itself ---

const waiting = /** @type {HTMLElement | null} */ (document.querySelector("[data-sign-in-follow]"));

async function followWaiting() {
  if (!waiting || waiting.dataset.state === "accepted") return;
  for (;;) {
    await pause(ASK_SELDOM);
    try {
      /** @type {SignIn} */
      const now = await send(waiting.dataset.signInFollow ?? "", { method: "GET" });
      if (now.state !== waiting.dataset.state) {
        location.reload();
        return;
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error; // the network is down: ask again
    }
  }
}
void followWaiting();

// --- by face ---

const place = document.getElementById("sign-in-face");
if (place) watchFace(place);

/** @param {HTMLElement} face */
function watchFace(face) {
  const video = /** @type {HTMLVideoElement} */ (face.querySelector("video"));
  const ring = /** @type {SVGElement} */ (face.querySelector(".ring-done"));
  const beats = [...face.querySelectorAll(".yc-beat i")];
  const [openButton, shootButton, onward, sayPlace, nextPlace] = ["open", "shoot", "onward", "say", "next"].map(
    (name) => /** @type {HTMLElement} */ (face.querySelector(`[data-face-${name}]`)),
  );
  const fallback = /** @type {HTMLFormElement | null} */ (document.querySelector("[data-face-fallback]"));
  const url = face.dataset.url ?? "";

  /**
   * @param {string} text
   * @param {string} [next]
   */
  function tell(text, next = "") {
    sayPlace.textContent = text;
    nextPlace.textContent = next;
  }

  /** @param {string} name */
  function words(name) {
    return face.dataset[`say${name}`] ?? "";
  }

  /** @param {number} done - frames taken */
  function progress(done) {
    ring.setAttribute("stroke-dashoffset", String(100 - (100 * done) / FRAMES));
    beats.forEach((beat, index) => {
      beat.className = index < done ? "done" : index === done ? "now" : "";
    });
  }

  /** @param {unknown} error */
  function tellTrouble(error) {
    if (error instanceof NoCamera) {
      tell(words(error.reason === "missing" ? "Missing" : "Blocked"));
      tellDevice("camera", "none");
      fallback?.closest("details")?.setAttribute("open", "");
    } else if (error instanceof Refused) {
      const next = error.refusal.details.next;
      tell(error.refusal.message || words("Unreachable"), typeof next === "string" ? next : "");
    } else {
      throw error;
    }
  }

  /**
   * Send the frames, then ask until the face has been judged.
   * @param {Blob[]} frames
   */
  async function signIn(frames) {
    tell(words("Sending"));
    document.querySelector("[data-face-last]")?.remove();
    /** @type {SignIn} */
    let now = await send(url, { body: asForm(frames) });
    tell(words("Judging"));
    const began = Date.now();
    while (now.state === "checking") {
      const slow = Date.now() - began > PATIENCE;
      if (slow) tell(words("Slow"));
      await pause(slow ? ASK_SELDOM : ASK_EVERY);
      now = await send(url, { method: "GET" });
    }
    tell(now.message, now.next);
    if (now.state === "refused") {
      progress(0);
      return;
    }
    closeCamera(video);
    openButton.hidden = true;
    shootButton.hidden = true;
    for (const other of document.querySelectorAll("[data-face-else]")) other.setAttribute("hidden", "");
    onward.hidden = false;
    onward.focus();
  }

  openButton.addEventListener("click", async () => {
    try {
      await openCamera(video);
    } catch (error) {
      tellTrouble(error);
      return;
    }
    tellDevice("camera", "good");
    openButton.hidden = true;
    shootButton.hidden = false;
    shootButton.focus();
    tell(words("Ready"));
    let dark = false;
    const light = setInterval(() => {
      if (!video.srcObject) clearInterval(light);
      else if (!shootButton.hasAttribute("disabled") && dark !== brightness(video) < DARK) {
        dark = !dark;
        tell(words(dark ? "Dark" : "Ready"));
      }
    }, LIGHT_EVERY);
  });

  if ("faceReady" in openButton.dataset) openButton.removeAttribute("disabled"); // from here on a tap is heard

  shootButton.addEventListener("click", async () => {
    shootButton.setAttribute("disabled", "");
    tell(words("Hold"));
    try {
      await signIn(await capture(video, FRAMES, { onFrame: progress }));
    } catch (error) {
      progress(0);
      tellTrouble(error);
    } finally {
      shootButton.removeAttribute("disabled");
    }
  });

  fallback?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const input = /** @type {HTMLInputElement} */ (fallback.elements.namedItem("frames"));
    try {
      await signIn(await Promise.all([...(input.files ?? [])].map(shrink)));
    } catch (error) {
      tellTrouble(error);
    } finally {
      delete fallback.dataset.ycSent;
      fallback.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
    }
  });

  addEventListener("pagehide", () => closeCamera(video));
}
