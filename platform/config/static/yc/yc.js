/**
 * What every page does, loaded once by base.html. Each part works on whatever the page holds and again on what
 * htmx brings later; a page without scripts still works, only less comfortably.
 *
 *   <details data-yc-menu>                            closes on a click outside and on Escape
 *   <button data-yc-open="ID">, <dialog id="ID">      opens a dialog; <button data-yc-close> inside closes it
 *   <button data-yc-copy="text">                      copies; or data-yc-copy-from="ID"
 *   <form data-yc-autosave="/url">                    saves on leaving a field; <span data-yc-saved role="status">
 *   <form data-yc-guard>                              asks before leaving with unsaved changes
 *   <form data-yc-once>                               is sent once, however often the button is pressed
 *   [data-yc-focus]                                   gets the focus when it appears (refusals)
 *   <a data-yc-back>                                  goes back in history when there is one
 *   <select data-yc-submit>                           sends its form when changed (filters)
 *   <details open data-yc-fold>                        is closed on a phone, where it would push the rest away
 *   <button data-yc-print>                            prints
 */

import { watchAutosave, watchGuard } from "./forms.js";
import { csrfToken } from "./http.js";
import { say, word } from "./words.js";

/** @param {ParentNode} root */
function wake(root) {
  watchAutosave(root);
  watchGuard(root);
  if (window.matchMedia("(max-width: 767.98px)").matches) {
    for (const fold of root.querySelectorAll("details[data-yc-fold]")) fold.removeAttribute("open");
  }
  const called = root.querySelector("[data-yc-focus]");
  if (called instanceof HTMLElement) called.focus();
}

// --- htmx: the token on every request, a word when the network is down ---

document.addEventListener("htmx:configRequest", (event) => {
  /** @type {CustomEvent<{headers: Record<string, string>}>} */ (event).detail.headers["X-CSRFToken"] = csrfToken();
});
document.addEventListener("htmx:sendError", () => say(word("offline"), "stop"));
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = /** @type {CustomEvent<{xhr: XMLHttpRequest}>} */ (event).detail;
  if (xhr.status >= 500) say(word("trouble"), "stop");
});
document.addEventListener("htmx:load", (event) => {
  const { elt } = /** @type {CustomEvent<{elt: Element}>} */ (event).detail;
  if (elt !== document.body) {
    wake(elt);
    if (elt instanceof HTMLElement && elt.matches("[data-yc-focus]")) elt.focus();
  }
});

// --- menus, dialogs, copying, going back: one listener for the page ---

/** @param {Event} event */
function onClick(event) {
  const target = event.target instanceof Element ? event.target : null;
  for (const menu of document.querySelectorAll("details[data-yc-menu][open]")) {
    if (!target || !menu.contains(target)) menu.removeAttribute("open");
  }
  if (!target) return;

  const opener = target.closest("[data-yc-open]");
  if (opener instanceof HTMLElement) openDialog(opener, event);
  if (target.closest("[data-yc-close]")) closeDialog(target.closest("dialog"));
  const copier = target.closest("[data-yc-copy], [data-yc-copy-from]");
  if (copier instanceof HTMLElement) void copy(copier);
  if (target.closest("[data-yc-back]") && history.length > 1) {
    event.preventDefault();
    history.back();
  }
  if (target.closest("[data-yc-print]")) window.print();
}

/**
 * The opener may be a link to the plain page with the same content; it is followed where <dialog> is missing
 * (WeChat's Android browser before Chromium 37, iOS before 15.4).
 * @param {HTMLElement} opener
 * @param {Event} event
 */
function openDialog(opener, event) {
  const dialog = document.getElementById(opener.dataset.ycOpen ?? "");
  if (!dialog) return;
  if (dialog instanceof HTMLElement && "showModal" in dialog) {
    event.preventDefault();
    /** @type {HTMLDialogElement} */ (dialog).showModal();
  } else if (!(opener instanceof HTMLAnchorElement)) {
    dialog.setAttribute("open", "");
    dialog.focus();
  }
}

/** @param {Element | null} dialog */
function closeDialog(dialog) {
  if (!dialog) return;
  if ("close" in dialog) /** @type {HTMLDialogElement} */ (dialog).close();
  else dialog.removeAttribute("open");
}

/** @param {HTMLElement} button */
async function copy(button) {
  const source = document.getElementById(button.dataset.ycCopyFrom ?? "");
  const text = button.dataset.ycCopy ?? source?.textContent?.trim() ?? "";
  try {
    await navigator.clipboard.writeText(text);
    say(word("copied"), "ok");
  } catch {
    // No clipboard without https or in some web views: mark the text, so it can be copied by hand.
    if (source) window.getSelection()?.selectAllChildren(source);
  }
}

document.addEventListener("click", onClick);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-yc-menu][open]")) {
    menu.removeAttribute("open");
    if (menu.contains(document.activeElement)) menu.querySelector("summary")?.focus();
  }
});
document.addEventListener("change", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLSelectElement) || !field.matches("[data-yc-submit]") || !field.form) return;
  if ("requestSubmit" in field.form) field.form.requestSubmit();
  else /** @type {HTMLFormElement} */ (field.form).submit(); // iOS before 16
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.matches("[data-yc-once]")) return;
  if (form.dataset.ycSent) event.preventDefault();
  form.dataset.ycSent = "1";
  const button = event.submitter ?? form.querySelector("button");
  button?.setAttribute("aria-busy", "true");
});
// A page shown again from the back-forward cache may send its form again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-yc-sent]")) {
    form.removeAttribute("data-yc-sent");
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }
});

wake(document);
