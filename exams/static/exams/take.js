/**
 * Sitting the exam. Every choice is saved at once, one request at a time; without a connection choices wait here and
 * are saved when it is back. The server's clock decides; this page only counts along.
 */

import { Refused, send } from "../yc/http.js";
import { word } from "../yc/words.js";

const RETRY_MS = 3000;
const SAY_AT_MINUTES = [5, 1];
const SHORT_SECONDS = 60;

/**
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new (...args: any[]) => T} kind
 * @returns {T}
 */
function find(root, selector, kind) {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`no ${selector}`);
  return found;
}

const paper = find(document, "#paper", HTMLFormElement);
const dialog = find(document, "#hand-in", HTMLElement);
const status = find(paper, "[data-status]", HTMLElement);
const left = find(paper, "[data-left]", HTMLElement);
const confirm = find(dialog, "[data-act=confirm]", HTMLButtonElement);
const questions = Array.from(paper.querySelectorAll("fieldset[data-question]")).filter(
  /** @returns {one is HTMLFieldSetElement} */ (one) => one instanceof HTMLFieldSetElement,
);

/** Questions whose last choice the server does not have yet. @type {Set<HTMLFieldSetElement>} */
const waiting = new Set();
let isSaving = false;
let isDone = false;
/** The paper was confirmed while something was still being saved; it goes in once that is stored. */
let isConfirmed = false;

/** @param {HTMLFieldSetElement} question @returns {number[]} */
function chosen(question) {
  return Array.from(question.querySelectorAll("input:checked"), (input) =>
    input instanceof HTMLInputElement ? Number(input.value) : -1,
  ).sort((a, b) => a - b);
}

function draw() {
  let answered = 0;
  for (const question of questions) {
    if (chosen(question).length > 0) answered += 1;
    for (const label of question.querySelectorAll("label")) {
      label.classList.toggle("is-on", label.querySelector("input:checked") !== null);
    }
  }
  find(paper, "[data-answered]", HTMLElement).textContent = String(answered);
}

/** @param {string} at - the server's moment @returns {string} as clocks in Henan show it */
function clock(at) {
  return new Intl.DateTimeFormat("zh-CN", {
    timeZone: "Asia/Shanghai",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(new Date(at));
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, ms);
    window.addEventListener("online", () => (window.clearTimeout(timer), resolve(null)), { once: true });
  });
}

/**
 * Save one question; the revision counts up, and a newer one stored from another window is gone past.
 * @param {HTMLFieldSetElement} question
 */
async function saveOne(question) {
  for (;;) {
    const choice = chosen(question);
    const revision = Number(question.dataset.revision) + 1;
    const url = `${paper.dataset.save ?? ""}${question.dataset.question ?? ""}/`;
    const stored = await send(url, { method: "PUT", data: { chosen: choice, revision } });
    question.dataset.revision = String(stored.revision);
    status.textContent = word("saved", { time: clock(stored.saved_at) });
    if (String(stored.chosen) === String(choice)) return;
  }
}

async function saveAll() {
  if (isSaving) return;
  isSaving = true;
  try {
    for (const question of waiting) {
      waiting.delete(question); // a choice made while this one is under way adds it again
      try {
        await saveOne(question);
      } catch (trouble) {
        if (!(trouble instanceof Refused)) throw trouble;
        if (trouble.refusal.code === "attempt_closed" || trouble.refusal.code === "attempt_time_over") {
          handIn();
          return;
        }
        const isPassing = trouble.status === 0 || trouble.status === 429 || trouble.status >= 500;
        status.textContent = isPassing ? word("unsaved") : trouble.refusal.message || word("trouble");
        if (!isPassing) continue;
        waiting.add(question);
        await pause(RETRY_MS);
      }
    }
  } finally {
    isSaving = false;
  }
  if (isConfirmed) handIn();
}

/** Leave the page for the result; the server marks what it has. */
function handIn() {
  if (isDone) return;
  isDone = true;
  waiting.clear();
  paper.submit();
}

paper.addEventListener("change", (event) => {
  const question = event.target instanceof Element ? event.target.closest("fieldset") : null;
  if (!(question instanceof HTMLFieldSetElement)) return;
  draw();
  waiting.add(question);
  void saveAll();
});

// yc.js opens the dialog (data-yc-open), also where the browser has none.
find(paper, "[data-act=submit]", HTMLButtonElement).addEventListener("click", () => {
  const open = questions.filter((question) => chosen(question).length === 0).map((q) => q.dataset.number ?? "");
  find(dialog, "[data-numbers]", HTMLElement).textContent = open.join("、");
  find(dialog, "[data-unanswered]", HTMLElement).hidden = open.length === 0;
  find(dialog, "[data-unanswered-none]", HTMLElement).hidden = open.length > 0;
});

// Enter in the paper or the dialog's button: hand in only when everything chosen is stored.
paper.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!dialog.hasAttribute("open")) return;
  isConfirmed = confirm.disabled = true;
  if (isSaving || waiting.size > 0) void saveAll();
  else handIn();
});

function reconsider() {
  isConfirmed = confirm.disabled = false;
}

dialog.addEventListener("close", reconsider);
find(dialog, "[data-yc-close]", HTMLElement).addEventListener("click", reconsider);

window.addEventListener("beforeunload", (event) => {
  if (isDone || (waiting.size === 0 && !isSaving)) return;
  event.preventDefault();
  event.returnValue = word("leave");
});

const allowed = Date.parse(paper.dataset.deadline ?? "") - Date.parse(paper.dataset.now ?? "");
const opened = performance.now();
let lastMinutes = Infinity;

function tick() {
  const seconds = Math.max(0, Math.ceil((allowed - (performance.now() - opened)) / 1000));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  left.textContent = `${hours ? `${hours}:` : ""}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  left.classList.toggle("is-short", seconds <= SHORT_SECONDS);
  const minutes = Math.ceil(seconds / 60);
  if (minutes < lastMinutes && lastMinutes !== Infinity && SAY_AT_MINUTES.includes(minutes)) {
    status.textContent = (paper.dataset.minutes ?? "").replace("{n}", String(minutes));
  }
  lastMinutes = minutes;
  if (seconds > 0) return;
  window.clearInterval(timer);
  status.textContent = paper.dataset.over ?? "";
  handIn();
}

/** What was chosen before this script came, over a slow line: the server does not have it yet. */
function catchUp() {
  for (const question of questions) {
    const inputs = Array.from(question.querySelectorAll("input"));
    if (inputs.some((input) => input.checked !== input.defaultChecked)) waiting.add(question);
  }
  if (waiting.size > 0) void saveAll();
}

const timer = window.setInterval(tick, 1000);
draw();
tick();
catchUp();
