/**
 * Slides page by page: buttons, arrow keys, swipes; the next pages are fetched before they are asked for.
 * Without scripts the buttons are links to ?page=n.
 *
 * @typedef {{url: string, width: number, height: number, text: string}} Page
 */

const AHEAD = 3; // pages fetched before they are asked for
const SWIPE = 45; // CSS pixels

const data = /** @type {{pages: Page[], number: number}} */ (
  JSON.parse(document.getElementById("slides-data")?.textContent ?? "null")
);
const picture = /** @type {HTMLImageElement} */ (document.querySelector("[data-slides-page]"));
const stage = /** @type {HTMLElement} */ (document.querySelector("[data-slides-stage]"));
const where = /** @type {HTMLElement} */ (document.querySelector("[data-slides-where]"));
const turns = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("[data-slides-turn]"));
const nothing = picture.alt;
/** @type {Map<number, HTMLImageElement>} */
const fetched = new Map();

let number = data.number;

/** @param {number} wanted */
function fetchAhead(wanted) {
  for (let n = wanted + 1; n <= Math.min(wanted + AHEAD, data.pages.length); n += 1) {
    if (fetched.has(n)) continue;
    const image = new Image();
    image.src = data.pages[n - 1].url;
    fetched.set(n, image);
  }
}

/** @param {number} step */
function turn(step) {
  const wanted = number + step;
  if (wanted < 1 || wanted > data.pages.length) return;
  number = wanted;
  const page = data.pages[number - 1];
  picture.width = page.width;
  picture.height = page.height;
  picture.alt = page.text || nothing;
  picture.src = page.url;
  where.textContent = (where.dataset.words ?? "").replace("%n", String(number)).replace("%all", String(data.pages.length));
  for (const link of turns) {
    const there = number + Number(link.dataset.slidesTurn);
    const possible = there >= 1 && there <= data.pages.length;
    if (possible) {
      link.removeAttribute("aria-disabled");
      link.href = `?page=${there}`;
    } else {
      link.setAttribute("aria-disabled", "true");
      link.removeAttribute("href");
    }
  }
  history.replaceState(null, "", `?page=${number}`);
  fetchAhead(number);
}

for (const link of turns) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    turn(Number(link.dataset.slidesTurn));
  });
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.target instanceof Element && event.target.closest("input, textarea, select")) return;
  const step = { ArrowLeft: -1, PageUp: -1, ArrowRight: 1, PageDown: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  turn(step);
});

/** @type {Touch | null} */
let began = null;
stage.addEventListener("touchstart", (event) => {
  began = event.touches.length === 1 ? event.touches[0] : null;
}, { passive: true });
stage.addEventListener("touchend", (event) => {
  const ended = event.changedTouches[0];
  if (!began || !ended) return;
  const across = ended.clientX - began.clientX;
  const along = ended.clientY - began.clientY;
  began = null;
  if (Math.abs(across) > SWIPE && Math.abs(across) > 2 * Math.abs(along)) turn(across < 0 ? 1 : -1);
}, { passive: true });

fetchAhead(number);
