/**
 * The live room's page: what happens in it is drawn, what its person does is sent.
 */

import { Refused, send } from "../yc/http.js";
import { byId, duration, el, fill, pageData, say } from "./dom.js";
import { Receiver, Sender } from "./media.js";
import { RoomSocket } from "./socket.js";
import { Sequence, addMessage, applyEvent, runningCheck } from "./state.js";
import { drawCall, drawCountdowns, drawDesk, drawLesson, drawLink, drawMessages, drawPeople } from "./view.js";

/** @typedef {import("./state.js").Snapshot} Snapshot */
/** @typedef {{api: string, checks: string, socket: string, meter: string, lesson: number, clock: string}} Page */

const GAP_PATIENCE = 400; // milliseconds that a missing event has to come by itself
const METER_EVERY = 10; // seconds
const WEAK_FOR = 4; // heartbeats before sound alone is offered

/** @type {Page} */
const page = pageData("room-page");
/** @type {Snapshot | null} */
let room = null;
/** @type {string | null} */
let connection = null;
let clockAhead = 0; // the server's clock minus this device's, milliseconds
let weakBeats = 0;

const now = () => Date.now() + clockAhead;

// --- events in order ---

const sequence = new Sequence((event) => {
  if (!room) return;
  redraw(applyEvent(room, event));
  if (event.type === "check.closed" && event.data.missed.includes(room.me.person)) note(say("you_missed"));
});
/** @type {ReturnType<typeof setTimeout> | undefined} */
let catchingUp;

/** Ask for what is missing, unless it comes by itself first. */
function catchUpSoon() {
  clearTimeout(catchingUp);
  catchingUp = setTimeout(() => void catchUp(), GAP_PATIENCE);
}

async function catchUp() {
  if (!room) return;
  try {
    for (let seq = Infinity; sequence.last < seq; ) {
      const before = sequence.last;
      const answer = await send(`${page.api}events/?after=${before}`, { method: "GET" });
      for (const event of answer.events) sequence.take(event);
      seq = sequence.last > before ? answer.seq : before;
    }
  } catch {
    catchUpSoon();
  }
}

// --- the socket ---

const scheme = location.protocol === "https:" ? "wss" : "ws";
const socket = new RoomSocket(`${scheme}://${location.host}${page.socket}?device=${device()}`, {
  onHello(hello) {
    connection = hello.connection;
    clockAhead = Date.parse(hello.at) - Date.now();
    void enter();
  },
  onEvent(event) {
    sequence.take(event);
    if (sequence.hasGap && room) catchUpSoon();
  },
  onBehind(seq) {
    if (room && seq > sequence.last) catchUpSoon();
  },
  onLink(link) {
    drawLink(link);
    byId("reconnecting").hidden = link !== "broken" && !(link === "connecting" && room !== null);
    weakBeats = link === "weak" ? weakBeats + 1 : 0;
    if (weakBeats >= WEAK_FOR && !saving) setSaving(true, say("saving_because_weak"));
  },
  onRefusal(refusal) {
    if (refusal.code !== "lesson_closed" || !room) stop(refusal.message + (refusal.details?.next ?? ""), null);
  },
  onStopped(why) {
    leaveMedia();
    drawStage(null, false);
    if (why === "taken-over") stop(say("taken_over"), say("continue_here"));
    else if (why === "signed-out") stop(say("signed_out"), null);
    else if (why === "lesson-closed") over();
    else if (why === "not-allowed" && byId("stopped").hidden) stop(say("not_allowed"), null);
  },
});

/** The lesson is over: as its event says, or as the server said to who came back too late to hear it. */
function over() {
  if (!room) return;
  redraw(applyEvent(room, { type: "lesson.ended", id: sequence.last, data: {} }));
  drawStage(null, false);
}

/** A name for this tab that outlives a reload: it tells a reconnection from a second device, nothing else. */
function device() {
  let name = sessionStorage.getItem("yc-device");
  if (!name) {
    name = newKey();
    sessionStorage.setItem("yc-device", name);
  }
  return name;
}

/** A random UUID; crypto.randomUUID() came with Chromium 92. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** After every hello: the room as it is, then the events that followed. */
async function enter() {
  const entered = connection;
  try {
    const snapshot = await send(`${page.api}room/`, { method: "GET" });
    if (entered !== connection) return;
    const unsent = room ? room.messages.filter((one) => one.sending) : [];
    room = /** @type {Snapshot} */ (snapshot);
    for (const one of unsent) if (!room.messages.some((known) => known.key === one.key)) room.messages.push(one);
    sequence.startAfter(snapshot.seq);
    byId("stopped").hidden = true;
    document.body.dataset.entered = connection ?? "";
    redraw(["lesson", "people", "messages", "checks", "media"]);
    for (const one of unsent) void post(one.key, one.text);
    void readMeter();
    if (sender && sender.isOn) void publish();
  } catch (error) {
    if (error instanceof Refused && error.status >= 400 && error.status < 500) stop(error.message, null);
    else setTimeout(() => entered === connection && void enter(), 2000);
  }
}

// --- drawing ---

/** @param {string[]} parts */
function redraw(parts) {
  if (!room) return;
  const running = runningCheck(room, now());
  if (parts.includes("lesson")) {
    drawLesson(room, now());
    drawSender();
    drawSaying();
  }
  if (parts.includes("people") || parts.includes("sign_in")) drawPeople(room, running, now());
  if (parts.includes("messages")) drawMessages(room);
  if (parts.includes("checks") || parts.includes("lesson")) drawChecks();
  if (parts.includes("media")) syncFeeds();
  if (parts.includes("people")) drawHand();
  if (parts.includes("sign_in") && room.me.leads) void refreshSignIns();
}

function drawChecks() {
  if (!room) return;
  const running = runningCheck(room, now());
  drawDesk(room, running);
  drawCall(running && running.mine ? running : null);
  drawPeople(room, running, now());
  drawCountdowns(now());
}

/** Nobody writes, raises a hand or saves data in a room that is closed. */
function drawSaying() {
  const over = !room || room.lesson.state === "closed";
  for (const control of document.querySelectorAll("[data-form=message] :is(input, button), [data-act=hand], [data-act=save]")) {
    if (control instanceof HTMLInputElement || control instanceof HTMLButtonElement) control.disabled = over;
  }
}

function drawHand() {
  if (!room) return;
  const { me, hands } = room;
  const up = hands.some((hand) => hand.person === me.person);
  for (const button of document.querySelectorAll("[data-act=hand]")) button.setAttribute("aria-pressed", String(up));
}

/** Who has signed in is told to staff alone, so the event only says that something changed. */
async function refreshSignIns() {
  try {
    const snapshot = await send(`${page.api}room/`, { method: "GET" });
    if (!room) return;
    room.sign_in = snapshot.sign_in;
    drawPeople(room, runningCheck(room, now()), now());
  } catch {
    // The next change asks again.
  }
}

/**
 * The room has stopped here; say why and how to go on.
 * @param {string} text
 * @param {string | null} button - connects again
 */
function stop(text, button) {
  const card = byId("stopped");
  fill(card, [
    el("p", {}, text),
    button ? el("button.btn.btn-primary", { type: "button", "data-act": "connect" }, button) : null,
  ]);
  card.hidden = false;
  card.focus();
}

/**
 * Say something that needs no answer.
 * @param {string} text
 * @param {"now" | "look" | "stop"} [kind]
 */
function note(text, kind = "look") {
  const place = byId("room-note");
  place.textContent = text;
  place.className = `yc-room-note is-${kind}`;
  place.hidden = !text;
}

/** @param {unknown} error */
function explain(error) {
  if (error instanceof Refused && error.status) {
    note(error.refusal.message + (error.refusal.details?.next ?? ""), "stop");
  } else if (error instanceof Refused) {
    note(say("unreachable"), "stop");
  } else {
    note(say("trouble"), "stop");
  }
}

// --- one's own time ---

async function readMeter() {
  const place = document.getElementById("meter");
  if (!place || !page.meter || !connection) return;
  try {
    const meter = await send(page.meter, { method: "GET" });
    const lesson = (meter.lessons ?? []).find((/** @type {{lesson: number}} */ one) => one.lesson === page.lesson);
    if (lesson) place.textContent = duration(Number(lesson.credited_seconds));
    place.dataset.seconds = lesson ? String(lesson.credited_seconds) : "";
  } catch {
    // It is asked again soon; the server goes on counting meanwhile.
  }
}

// --- messages: shown at once, sent until they arrive, posted once by their key ---

/** @param {HTMLFormElement} form */
function sayMessage(form) {
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("text"));
  const text = field.value.trim();
  if (!text || !room) return;
  const { person, name, role } = room.me;
  const key = newKey();
  addMessage(room, { key, person, name, role, text, at: new Date(now()).toISOString(), sending: true });
  drawMessages(room);
  byId("chat").scrollTop = byId("chat").scrollHeight;
  field.value = "";
  void post(key, text);
}

/**
 * @param {string} key
 * @param {string} text
 */
async function post(key, text) {
  try {
    const event = await send(`${page.api}messages/`, { data: { key, text } });
    sequence.take(event);
    if (sequence.hasGap) catchUpSoon();
  } catch (error) {
    if (!(error instanceof Refused) || error.status === 0 || error.status >= 500) return; // sent again on reconnecting
    if (error.refusal.code === "not_in_room") return; // the line was lost a moment ago: likewise
    const message = room ? room.messages.find((one) => one.key === key) : undefined;
    if (!room || !message) return;
    message.sending = false;
    message.refused = error.refusal.message + String(error.refusal.details.next ?? "");
    drawMessages(room);
  }
}

// --- pictures and sound ---

const place = {
  lesson: page.api,
  connection: () => connection,
  get iceServers() {
    return room ? room.media.ice_servers : [];
  },
};
/** @type {Map<string, Receiver>} */
const receivers = new Map();
/** @type {Sender | null} */
let sender = null;
let saving = false;

const stage = /** @type {HTMLVideoElement} */ (byId("stage"));
const second = /** @type {HTMLVideoElement} */ (byId("second"));

/** Receive what is sent by others: the lecturer on the stage, another beside. */
function syncFeeds() {
  if (!room || !connection) return;
  const { me, media } = room;
  const others = media.feeds.filter((one) => one.person !== me.person);
  const onStage = others.find((one) => one.feed.startsWith("lecturer")) ?? others[0];
  const beside = others.find((one) => one !== onStage);
  const ownOnStage = me.role === "lecturer" && sender !== null && sender.isOn;
  const wanted = new Map();
  if (onStage) wanted.set(onStage.feed, ownOnStage ? second : stage);
  if (beside && !ownOnStage) wanted.set(beside.feed, second);
  for (const [feed, receiver] of receivers) {
    if (wanted.get(feed) === receiver.video) continue;
    receivers.delete(feed);
    receiver.stop();
  }
  for (const [feed, video] of wanted) if (!receivers.has(feed)) receive(feed, video);
  drawStage(onStage ?? null, ownOnStage);
}

/**
 * @param {string} feed
 * @param {HTMLVideoElement} video
 */
function receive(feed, video) {
  const lost = () => {
    if (receivers.get(feed) !== receiver) return;
    receivers.delete(feed);
    receiver.stop();
    setTimeout(syncFeeds, 1000);
  };
  const receiver = new Receiver(place, feed, video, lost);
  receiver.pictured = !saving;
  receivers.set(feed, receiver);
  receiver.start().then(
    () => void play(video),
    () => {
      if (connection) lost();
    },
  );
}

/**
 * Browsers play sound only after somebody has touched the page; until then it plays silently and a button says so.
 * @param {HTMLVideoElement} video
 */
async function play(video) {
  try {
    video.muted = false;
    await video.play();
    byId("unmute").hidden = true;
  } catch {
    video.muted = true;
    byId("unmute").hidden = false;
    await video.play().catch(() => undefined);
  }
}

/**
 * @param {import("./state.js").Feed | null} feed
 * @param {boolean} own
 */
function drawStage(feed, own) {
  const words = byId("stage-words");
  const hidden = own || (feed !== null && !saving);
  stage.hidden = !hidden;
  words.hidden = hidden;
  if (!room) return;
  if (!room.media.available) words.textContent = say("no_media");
  else if (feed && saving) words.textContent = say("sound_only");
  else words.textContent = room.lesson.state === "closed" ? say("lesson_over") : say("no_picture_yet");
  byId("beside").hidden = !second.srcObject;
  for (const speaking of document.querySelectorAll("[data-room=speaking]")) {
    speaking.textContent = feed ? say("speaking", { name: feed.name }) : say("nobody_speaks");
  }
}

/**
 * @param {boolean} on
 * @param {string} [why]
 */
function setSaving(on, why = "") {
  saving = on;
  for (const button of document.querySelectorAll("[data-act=save]")) button.setAttribute("aria-pressed", String(on));
  for (const receiver of receivers.values()) void receiver.showPicture(!on).catch(explain);
  if (why) note(why, "now");
  syncFeeds();
}

/** Where one's own picture is shown: the lecturer's on the stage, the assistant's beside it. */
function ownVideo() {
  return room && room.me.role === "lecturer" ? stage : second;
}

async function publish() {
  if (!room) return;
  sender = sender ?? new Sender(place, () => void publish());
  const own = ownVideo();
  try {
    await sender.start();
    own.srcObject = sender.stream;
    own.muted = true;
    void own.play();
    note("");
  } catch (error) {
    if (error instanceof DOMException) note(say("camera_blocked"), "stop");
    else explain(error);
    sender.stop();
  }
  drawSender();
  syncFeeds();
}

function unpublish() {
  if (!sender) return;
  sender.stop();
  for (const name of ["mic", "camera"]) {
    document.querySelector(`[data-act=${name}]`)?.setAttribute("aria-pressed", "true"); // as it begins next time
  }
  ownVideo().srcObject = null;
  drawSender();
  syncFeeds();
}

function drawSender() {
  const on = sender !== null && sender.isOn;
  const over = !room || room.lesson.state === "closed";
  for (const name of ["publish", "mic", "camera", "unpublish"]) {
    const button = document.querySelector(`[data-act=${name}]`);
    if (button instanceof HTMLElement) button.hidden = over || (name === "publish") === on;
  }
}

/**
 * @param {Element} button
 * @param {"audio" | "video"} kind
 */
function toggleTrack(button, kind) {
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  if (sender) sender.enable(kind, on);
}

function leaveMedia() {
  connection = null;
  for (const receiver of receivers.values()) receiver.stop();
  receivers.clear();
  if (sender && sender.isOn) unpublish();
}

// --- what a person does ---

/** @type {Record<string, (button: HTMLElement) => void | Promise<unknown>>} */
const acts = {
  start: () => send(`${page.api}start/`),
  end: () => {
    closeDialog("end-lesson");
    return send(`${page.api}end/`);
  },
  publish,
  unpublish,
  mic: (button) => toggleTrack(button, "audio"),
  camera: (button) => toggleTrack(button, "video"),
  save: () => setSaving(!saving),
  unmute: () => play(stage),
  hand: (button) => send(`${page.api}hands/`, { data: { raised: button.getAttribute("aria-pressed") !== "true" } }),
  "lower-hand": (button) =>
    send(`${page.api}hands/`, { data: { raised: false, person: Number(/** @type {HTMLButtonElement} */ (button).value) } }),
  "roll-call": () => send(`${page.api}roll-calls/`, { data: {} }),
  answer: (button) => {
    const option = button.dataset.option === undefined ? {} : { option: Number(button.dataset.option) };
    return send(`${page.checks}${button.dataset.check}/answer/`, { data: option });
  },
  connect: () => {
    byId("stopped").hidden = true;
    socket.connect();
  },
};

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-act]") : null;
  if (!(button instanceof HTMLElement)) return;
  const act = acts[button.dataset.act ?? ""];
  if (!act || button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  Promise.resolve(act(button))
    .catch(explain)
    .then(() => button.removeAttribute("aria-busy"));
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  if (form.dataset.form === "message") {
    event.preventDefault();
    sayMessage(form);
  } else if (form.dataset.form === "question") {
    event.preventDefault();
    void ask(form);
  }
});

/** @param {HTMLFormElement} form */
async function ask(form) {
  const fields = new FormData(form);
  const written = fields.getAll("option").map((one) => String(one).trim());
  const options = written.filter((one) => one);
  const correct = options.indexOf(written[Number(fields.get("correct") ?? -1)] || "");
  const data = { prompt: fields.get("prompt"), options, correct, target: fields.get("everyone") ? "all" : "one" };
  const refusal = form.querySelector("[data-refusal]");
  try {
    await send(`${page.api}questions/`, { data });
    form.reset();
    closeDialog("question");
    if (refusal) refusal.textContent = "";
  } catch (error) {
    if (refusal && error instanceof Refused) {
      refusal.textContent = error.refusal.message + String(error.refusal.details.next ?? "");
    }
  }
}

/** @param {string} id */
function closeDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog && "close" in dialog) /** @type {HTMLDialogElement} */ (dialog).close();
  else if (dialog) dialog.removeAttribute("open");
}

// --- time ---

let seconds = 0;

function tick() {
  seconds += 1;
  socket.tick();
  if (!room) return;
  drawLesson(room, now());
  const running = runningCheck(room, now());
  if (String(running ? running.check : "") !== lastRunning) {
    lastRunning = String(running ? running.check : "");
    drawChecks();
  }
  drawCountdowns(now());
  if (room.hands.length && seconds % 10 === 0) drawPeople(room, running, now());
  if (seconds % METER_EVERY === 0) void readMeter();
}

let lastRunning = "";
const ticker = new Worker(page.clock);
ticker.addEventListener("message", tick);

window.addEventListener("online", () => socket.hurry());
window.addEventListener("pagehide", () => socket.leave());
window.addEventListener("pageshow", (event) => {
  if (event.persisted) socket.connect();
});

drawLink("connecting");
socket.connect();
