/**
 * The timetable editor: rows are added, copied, removed and stepped here; everything that is judged is judged by the
 * server, which is asked a moment after each change (`yc-rows`) and answers with the findings and the faults of rows.
 * Without this script the page still shows, checks and saves what is there.
 */

/** @param {string} time - HH:MM or HH:MM:SS @returns {number | null} seconds of the day */
function secondsOf(time) {
  const found = /^(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(time);
  return found ? Number(found[1]) * 3600 + Number(found[2]) * 60 + Number(found[3] ?? 0) : null;
}

/** @param {number} seconds @returns {string} as a time field wants it, within the day */
function timeOf(seconds) {
  const whole = Math.min(Math.ceil(seconds), 24 * 3600 - 1);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (whole % 60) parts.push(whole % 60);
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** @param {string} day - an ISO date @param {number} days @returns {string} */
function later(day, days) {
  const moment = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(moment.getTime())) return day;
  moment.setUTCDate(moment.getUTCDate() + days);
  return moment.toISOString().slice(0, 10);
}

/** @param {ParentNode} row @param {string} name @returns {HTMLInputElement | HTMLSelectElement} */
function field(row, name) {
  const found = row.querySelector(`[name="${name}"]`);
  if (!(found instanceof HTMLInputElement || found instanceof HTMLSelectElement)) throw new Error(`no field ${name}`);
  return found;
}

class Editor {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    this.lessonHour = Number(form.dataset.lessonHour);
    this.rows = /** @type {HTMLElement} */ (form.querySelector("#rows"));
    this.made = 0;
    form.addEventListener("click", (event) => this.onClick(event));
    form.addEventListener("change", (event) => this.onChange(event));
    const add = document.querySelector("[data-tt-add]");
    add?.addEventListener("click", () => this.add());
    add?.removeAttribute("disabled"); // from here on a click is heard
    form.addEventListener("keydown", (event) => this.onKey(event));
    document.addEventListener("htmx:afterSettle", () => this.mark());
  }

  /** @param {Event} event */
  onClick(event) {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    const row = button?.closest("tr");
    if (!(button instanceof HTMLElement) || !(row instanceof HTMLElement)) return;
    if (button.dataset.ttStep) this.step(row, Number(button.dataset.ttStep));
    else if ("ttCopy" in button.dataset) this.copy(row);
    else if ("ttRemove" in button.dataset) this.remove(row);
  }

  /** @param {Event} event */
  onChange(event) {
    const target = event.target;
    if (!(target instanceof HTMLInputElement || target instanceof HTMLSelectElement)) return;
    const row = target.closest("tr");
    if (!(row instanceof HTMLElement)) return;
    if (target.name === "kind") this.dot(row);
    if (target.name === "starts" || target.name === "hours") this.stretch(row);
  }

  /**
   * Enter saves the timetable, except where something else is being filled in: there it presses that part's own button.
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    const target = event.target;
    if (event.key !== "Enter" || !(target instanceof HTMLInputElement || target instanceof HTMLSelectElement)) return;
    const button = target.closest(".tt-plan")?.querySelector("button");
    if (!(button instanceof HTMLButtonElement)) return;
    event.preventDefault();
    button.click();
  }

  /** Ask the server again, and let the page know that something is unsaved. */
  changed() {
    this.form.dispatchEvent(new Event("input", { bubbles: true }));
    const none = this.form.querySelector(".tt-none");
    if (none instanceof HTMLElement) none.hidden = this.rows.children.length > 0;
  }

  add() {
    const blank = /** @type {HTMLTemplateElement} */ (document.getElementById("tt-blank"));
    const row = /** @type {HTMLElement} */ (
      /** @type {DocumentFragment} */ (blank.content.cloneNode(true)).firstElementChild
    );
    const last = this.rows.lastElementChild;
    const day = last ? field(last, "day").value : "";
    this.name(row);
    this.rows.append(row);
    field(row, "day").value = day ? this.dayAfter(day) : (this.form.dataset.firstDay ?? "");
    field(row, "starts").value = last ? field(last, "starts").value : "08:30";
    this.stretch(row);
    this.changed();
    field(row, "title").focus();
  }

  /** @param {HTMLElement} row */
  copy(row) {
    const twin = /** @type {HTMLElement} */ (row.cloneNode(true));
    field(twin, "kind").value = field(row, "kind").value;
    this.name(twin);
    const faults = twin.querySelector(".tt-faults");
    if (faults) faults.replaceChildren();
    row.after(twin);
    field(twin, "day").value = this.dayAfter(field(row, "day").value);
    this.changed();
    field(twin, "day").focus();
  }

  /** @param {HTMLElement} row */
  remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.changed();
    if (next) field(next, "title").focus();
    else /** @type {HTMLElement | null} */ (document.querySelector("[data-tt-add]"))?.focus();
  }

  /** @param {HTMLElement} row @param {number} by */
  step(row, by) {
    const hours = field(row, "hours");
    const now = Number(hours.value) || 0;
    hours.value = String(Math.max(1, Math.min(99, now + by)));
    this.stretch(row);
    this.changed();
  }

  /** The next day, while the class lasts. @param {string} day @returns {string} */
  dayAfter(day) {
    const last = this.form.dataset.lastDay ?? "";
    const next = later(day, 1);
    return next > last && day <= last ? day : next;
  }

  /** The end follows from start and hours; whoever wants a longer lesson changes the end afterwards. @param {HTMLElement} row */
  stretch(row) {
    const starts = secondsOf(field(row, "starts").value);
    const hours = Number(field(row, "hours").value);
    if (starts === null || !(hours > 0)) return;
    field(row, "ends").value = timeOf(starts + hours * this.lessonHour);
  }

  /** @param {HTMLElement} row */
  dot(row) {
    const kind = /** @type {HTMLSelectElement} */ (field(row, "kind"));
    const dot = row.querySelector(".k-dot");
    if (dot) dot.className = `k-dot ${kind.selectedOptions[0]?.dataset.dot ?? ""}`;
  }

  /** Give a new row a key of its own: under it the server sends back what is wrong with it. @param {HTMLElement} row */
  name(row) {
    this.made += 1;
    const key = `n${this.rows.children.length}-${this.made}`;
    row.id = `row-${key}`;
    row.classList.remove("is-bad");
    field(row, "key").value = key;
    const faults = row.querySelector(".tt-faults");
    if (faults) faults.id = `faults-${key}`;
  }

  /** A row with a fault is framed; the fault itself came from the server. */
  mark() {
    for (const row of this.rows.children) {
      row.classList.toggle("is-bad", Boolean(row.querySelector(".tt-faults p")));
    }
  }
}

const form = document.getElementById("timetable");
if (form instanceof HTMLFormElement) new Editor(form);
