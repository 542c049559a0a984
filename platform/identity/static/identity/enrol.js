/** The enrolment page: open the camera, take five frames, send them, say how it went. */

import { Refused, send } from "../yc/http.js";
import { NoCamera, asForm, brightness, capture, closeCamera, openCamera, shrink } from "./camera.js";
import { follow } from "./checks.js";

const FRAMES = 5;
const DARK = 40;
const LIGHT_EVERY = 1000;
let guiding = false; // while nothing else is being said, say whether the light is good

const place = /** @type {HTMLElement} */ (document.getElementById("face-camera"));
const video = /** @type {HTMLVideoElement} */ (place.querySelector("video"));
const ring = /** @type {SVGElement} */ (place.querySelector(".ring-done"));
const beats = [...place.querySelectorAll("[data-face-beat] i")];
const [openButton, shootButton, onward, sayPlace, nextPlace] = ["open", "shoot", "onward", "say", "next"].map(
  (name) => /** @type {HTMLElement} */ (place.querySelector(`[data-face-${name}]`)),
);
const fallback = /** @type {HTMLFormElement | null} */ (document.querySelector("[data-face-fallback]"));

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
  return place.dataset[`say${name}`] ?? "";
}

/** @param {number} done - frames taken */
function progress(done) {
  ring.setAttribute("stroke-dashoffset", String(100 - (100 * done) / FRAMES));
  ring.setAttribute("visibility", done ? "visible" : "hidden"); // a round cap would show as a dot
  beats.forEach((beat, index) => {
    beat.className = index < done ? "done" : index === done ? "now" : "";
  });
}

/** @param {unknown} error */
function tellTrouble(error) {
  if (error instanceof NoCamera) {
    tell(words(error.reason === "missing" ? "Missing" : "Blocked"));
    fallback?.closest("details")?.setAttribute("open", "");
  } else if (error instanceof Refused) {
    const next = error.refusal.details.next;
    tell(error.refusal.message || words("Unreachable"), typeof next === "string" ? next : "");
  } else {
    throw error;
  }
}

/** @param {Blob[]} frames */
async function enrol(frames) {
  tell(words("Sending"));
  const asked = await send(place.dataset.url ?? "", { body: asForm(frames) });
  tell(words("Judging"));
  const url = (place.dataset.checkUrl ?? "").replace("/0/", `/${asked.id}/`);
  const check = await follow(url, { onSlow: () => tell(words("Slow")) });
  tell(check.message, check.next);
  if (check.passed) {
    closeCamera(video);
    shootButton.hidden = true;
    onward.hidden = false;
    onward.focus();
  } else {
    progress(0);
  }
}

openButton.addEventListener("click", async () => {
  try {
    await openCamera(video);
  } catch (error) {
    tellTrouble(error);
    return;
  }
  openButton.hidden = true;
  shootButton.hidden = false;
  shootButton.focus();
  guiding = true;
  tell(words("Ready"));
  const light = setInterval(() => {
    if (!video.srcObject) clearInterval(light);
    else if (guiding) tell(words(brightness(video) < DARK ? "Dark" : "Ready"));
  }, LIGHT_EVERY);
});

openButton.removeAttribute("disabled"); // from here on a tap is heard

shootButton.addEventListener("click", async () => {
  shootButton.setAttribute("disabled", "");
  guiding = false;
  tell(words("Hold"));
  try {
    await enrol(await capture(video, FRAMES, { onFrame: progress }));
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
  guiding = false;
  event.submitter?.setAttribute("disabled", "");
  try {
    await enrol(await Promise.all([...(input.files ?? [])].map(shrink)));
    place.scrollIntoView({ block: "center" });
  } catch (error) {
    tellTrouble(error);
  } finally {
    event.submitter?.removeAttribute("disabled");
  }
});

addEventListener("pagehide", () => closeCamera(video));
