/**
 * Building small pieces of page, and the words and icons for them: the page brings both (live/room.html).
 */

/** @typedef {{[name: string]: string | number | boolean | null | undefined}} Attributes */

/**
 * @param {string} tag - optionally with classes: "li.hand"
 * @param {Attributes} [attributes] - true stands for an empty attribute, false, null and undefined for none
 * @param {...(Node | string | null)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, String(value));
  }
  for (const child of children) if (child !== null) made.append(child);
  return made;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`#${id} is missing from the page`);
  return found;
}

/**
 * @param {Element} place
 * @param {(Node | null)[]} children
 */
export function fill(place, children) {
  // replaceChildren() would be shorter; it came with Chromium 86.
  while (place.firstChild) place.firstChild.remove();
  for (const child of children) if (child) place.append(child);
}

/**
 * @template T
 * @param {string} id - of a json_script block
 * @returns {T}
 */
export function pageData(id) {
  return JSON.parse(byId(id).textContent ?? "null");
}

/** @type {{words: Record<string, string>, sprite: string} | null} */
let told = null;

function page() {
  told = told ?? pageData("room-page");
  return /** @type {NonNullable<typeof told>} */ (told);
}

/**
 * A sentence of the page's language with its {places} filled.
 * @param {string} name
 * @param {Record<string, string | number>} [places]
 */
export function say(name, places = {}) {
  const text = page().words[name];
  if (text === undefined) throw new Error(`the page has no word ${name}`);
  return text.replace(/\{(\w+)\}/g, (whole, key) => (key in places ? String(places[key]) : whole));
}

/**
 * @param {string} name - of icons.txt
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${page().sprite}#tabler-${name}`);
  svg.append(use);
  return svg;
}

/**
 * @param {string} name - of a person
 * @param {boolean} [isMe]
 */
export function avatar(name, isMe = false) {
  return el(isMe ? "span.yc-ava.is-me" : "span.yc-ava", { "aria-hidden": "true" }, [...name][0] ?? "");
}

/**
 * 1 小时 16 分 45 秒: cut to whole seconds, never rounded up.
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [];
  if (whole >= 3600) parts.push(say("hours", { n: Math.floor(whole / 3600) }));
  if (whole >= 60) parts.push(say("minutes", { n: Math.floor(whole / 60) % 60 }));
  parts.push(say("seconds", { n: whole % 60 }));
  return parts.join(" ");
}

const TIME = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Asia/Shanghai",
  hour: "2-digit",
  minute: "2-digit",
  hour12: false,
});
const TIME_TO_THE_SECOND = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Asia/Shanghai",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});

/**
 * @param {string} at - ISO 8601
 * @param {boolean} [seconds]
 */
export function clock(at, seconds = false) {
  return (seconds ? TIME_TO_THE_SECOND : TIME).format(new Date(at));
}
