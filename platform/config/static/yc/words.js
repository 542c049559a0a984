/**
 * The words scripts may say. They come from the page (includes/script_words.html), so they are translated there;
 * no script holds a sentence of its own.
 */

/**
 * @param {string} name - data-* name on #yc-words, in camelCase
 * @param {Record<string, string>} [places] - values for {name} places
 * @returns {string}
 */
export function word(name, places = {}) {
  const text = document.getElementById("yc-words")?.dataset[name] ?? "";
  return text.replace(/\{(\w+)\}/g, (whole, key) => places[key] ?? whole);
}

/**
 * Say something to everybody, those who hear the page included.
 * @param {string} text
 * @param {"ok" | "now" | "look" | "stop"} [kind]
 */
export function say(text, kind = "now") {
  const place = document.getElementById("messages");
  if (!place || !text) return;
  const note = document.createElement("div");
  note.className = `yc-note is-${kind}`;
  note.textContent = text;
  place.textContent = ""; // not replaceChildren: Chromium 84 has none
  place.append(note);
}
