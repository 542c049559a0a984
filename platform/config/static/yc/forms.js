/**
 * Long forms: saved on leaving a field, guarded against leaving the page with something unsaved.
 */

import { csrfToken } from "./http.js";
import { word } from "./words.js";

/** Forms whose present content the server does not have yet. @type {Set<HTMLFormElement>} */
const unsaved = new Set();

/** @param {ParentNode} root */
export function watchGuard(root) {
  for (const form of root.querySelectorAll("form[data-yc-guard], form[data-yc-autosave]")) {
    if (!(form instanceof HTMLFormElement) || form.dataset.ycWatched) continue;
    form.dataset.ycWatched = "1";
    form.addEventListener("input", () => unsaved.add(form));
    form.addEventListener("submit", () => unsaved.delete(form));
  }
}

window.addEventListener("beforeunload", (event) => {
  for (const form of unsaved) if (!form.isConnected) unsaved.delete(form);
  if (unsaved.size === 0) return;
  event.preventDefault();
  // Browsers show their own sentence; older ones need a value to show any.
  event.returnValue = word("leave");
});

/** @param {ParentNode} root */
export function watchAutosave(root) {
  for (const form of root.querySelectorAll("form[data-yc-autosave]")) {
    if (!(form instanceof HTMLFormElement) || form.dataset.ycSaves) continue;
    form.dataset.ycSaves = "1";
    form.addEventListener("change", () => void save(form));
  }
}

/**
 * Send the whole form to its autosave address; the answer is JSON with the server's time as it should be read
 * (`saved_at`: "14:32:06"). One request at a time: a change that comes meanwhile is sent after it.
 * @param {HTMLFormElement} form
 */
async function save(form) {
  if (form.dataset.ycSaving) {
    form.dataset.ycAgain = "1";
    return;
  }
  form.dataset.ycSaving = "1";
  tell(form, word("saving"));
  const content = new FormData(form);
  unsaved.delete(form);
  try {
    const response = await fetch(form.dataset.ycAutosave ?? "", {
      method: "POST",
      body: content,
      headers: { "X-CSRFToken": csrfToken(), Accept: "application/json" },
      credentials: "same-origin",
    });
    if (!response.ok) throw new Error(String(response.status));
    const answer = await response.json();
    tell(form, word("saved", { time: String(answer.saved_at) }));
  } catch {
    unsaved.add(form);
    tell(form, word("unsaved"));
  }
  delete form.dataset.ycSaving;
  if (form.dataset.ycAgain) {
    delete form.dataset.ycAgain;
    await save(form);
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {string} text
 */
function tell(form, text) {
  const place = document.querySelector(`[data-yc-saved="${form.id}"]`) ?? form.querySelector("[data-yc-saved]");
  if (place) place.textContent = text;
}
