/**
 * Drawing the room from what is known of it. Every function draws one part anew; none remembers anything.
 */

import { avatar, byId, clock, duration, el, fill, icon, say } from "./dom.js";

/** @typedef {import("./state.js").Snapshot} Snapshot */
/** @typedef {import("./state.js").Check} Check */
/** @typedef {import("./state.js").Person} Person */

const STAFF = ["lecturer", "assistant"];

/**
 * @param {Snapshot} room
 * @param {Check | null} running
 * @param {number} now - of the server's clock
 */
export function drawPeople(room, running, now) {
  const list = document.getElementById("people");
  const trainees = room.people.filter((one) => one.role === "trainee");
  const online = trainees.filter((one) => one.online).length;
  for (const place of document.querySelectorAll("[data-room=count]")) {
    place.textContent = say("people_count", { online, away: trainees.length - online });
  }
  for (const place of document.querySelectorAll("[data-room=online]")) {
    place.textContent = say("online_count", { n: room.people.filter((one) => one.online).length });
  }
  const waiting = (room.sign_in?.waiting ?? []).length;
  const desk = document.getElementById("sign-ins");
  if (desk) {
    desk.hidden = waiting === 0;
    byId("sign-ins-waiting").textContent = say("sign_ins_waiting", { n: waiting });
  }
  if (!list) return;
  const missing = new Set((room.sign_in?.missing ?? []).map((/** @type {Person} */ one) => one.person));
  const hands = room.hands.map((hand) => handRow(room, hand, now));
  const raised = new Set(room.hands.map((hand) => hand.person));
  const others = room.people
    .filter((one) => !raised.has(one.person))
    .map((one) =>
      el(
        "li",
        { "data-person": one.person, "data-online": one.online },
        avatar(one.name, one.person === room.me.person),
        el("span", {}, one.name, STAFF.includes(one.role) ? el("small.muted", {}, say(one.role)) : null),
        personState(one, running, missing),
      ),
    );
  fill(list, [...hands, ...others]);
}

/**
 * @param {Snapshot} room
 * @param {import("./state.js").Hand} hand
 * @param {number} now
 */
function handRow(room, hand, now) {
  const waited = duration((now - Date.parse(hand.raised_at)) / 1000);
  const mayLower = room.me.leads || hand.person === room.me.person;
  return el(
    "li.hand",
    { "data-person": hand.person },
    avatar(hand.name, hand.person === room.me.person),
    el("span", {}, hand.name, el("small.t-look", {}, icon("hand-stop"), " ", say("hand_up", { time: waited }))),
    mayLower
      ? el("button.btn.btn-sm.btn-quiet", { type: "button", "data-act": "lower-hand", value: hand.person }, say("lower"))
      : null,
  );
}

/**
 * @param {Person} person
 * @param {Check | null} running
 * @param {Set<number>} missing
 */
function personState(person, running, missing) {
  if (running && running.asked.includes(person.person)) {
    return running.answered.includes(person.person)
      ? el("small.t-ok", {}, icon("check"), " ", say("answered"))
      : el("small.t-look", {}, icon("clock"), " ", say("waiting"));
  }
  if (missing.has(person.person)) return el("small.t-stop", {}, icon("circle-minus"), " ", say("not_signed_in"));
  return person.online
    ? el("small.t-ok", {}, icon("check"), " ", say("here"))
    : el("small.muted", {}, icon("circle-minus"), " ", say("away"));
}

/** @param {Snapshot} room */
export function drawMessages(room) {
  const chat = byId("chat");
  const atEnd = chat.scrollHeight - chat.scrollTop - chat.clientHeight < 60;
  fill(
    chat,
    room.messages.length ? room.messages.map((one) => messageRow(room, one)) : [el("p.sys", {}, say("no_messages"))],
  );
  if (atEnd) chat.scrollTop = chat.scrollHeight;
}

/**
 * @param {Snapshot} room
 * @param {import("./state.js").Message} message
 */
function messageRow(room, message) {
  const mine = message.person === room.me.person;
  const role = STAFF.includes(message.role) ? `${say(message.role)} ` : "";
  const when = message.sending ? say("sending") : role + clock(message.at);
  return el(
    "div.m",
    { "data-key": message.key },
    avatar(message.name, mine),
    el(
      "div",
      {},
      el("b", {}, mine ? say("me") : message.name),
      " ",
      el("small.num", {}, when),
      el("br"),
      message.text,
      message.refused ? el("small.t-stop.d-block", {}, message.refused) : null,
    ),
  );
}

/**
 * @param {Snapshot} room
 * @param {number} now
 */
export function drawLesson(room, now) {
  const { lesson } = room;
  document.body.dataset.lesson = lesson.state;
  for (const part of document.querySelectorAll("[data-when]")) {
    if (part instanceof HTMLElement) part.hidden = !(part.dataset.when ?? "").split(" ").includes(lesson.state);
  }
  // In an open lesson the server records what it receives, and only that: without a feed there is nothing.
  const recording = document.getElementById("recording");
  if (recording) recording.hidden = lesson.state !== "open" || room.media.feeds.length === 0;
  const since = lesson.opened_at && lesson.state === "open" ? now - Date.parse(lesson.opened_at) : null;
  byId("elapsed").textContent = since === null ? "" : hms(since / 1000);
}

/**
 * H:MM:SS
 * @param {number} seconds
 */
function hms(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** @param {import("./socket.js").Link} link */
export function drawLink(link) {
  const looks = /** @type {const} */ ({
    connecting: ["wifi-0", "link_connecting"],
    good: ["wifi", "link_good"],
    weak: ["wifi-1", "link_weak"],
    broken: ["wifi-off", "link_broken"],
    stopped: ["wifi-off", "link_stopped"],
  });
  const [name, text] = looks[link];
  for (const place of document.querySelectorAll("[data-room=link]")) {
    if (place.getAttribute("data-link") === link) continue;
    place.setAttribute("data-link", link);
    fill(place, [icon(name), document.createTextNode(` ${say(text)}`)]);
  }
}

/**
 * The assistant's desk: the running check with who has not answered, and what was asked before.
 * @param {Snapshot} room
 * @param {Check | null} running
 */
export function drawDesk(room, running) {
  const desk = document.getElementById("desk");
  if (!desk) return;
  const before = (room.checks ?? []).filter((one) => one !== running).slice(0, 3);
  desk.setAttribute("data-check", running ? String(running.check) : "");
  fill(desk, [...(running ? runningDesk(room, running) : [idleDesk(room)]), before.length ? recap(before) : null]);
}

/** @param {Snapshot} room */
function idleDesk(room) {
  return el(
    "header",
    {},
    el(
      "div",
      {},
      el("h2", { id: "desk-title" }, say("desk")),
      el("div.small.muted", {}, room.lesson.state === "open" ? say("desk_hint") : say("desk_closed")),
    ),
  );
}

/**
 * @param {Snapshot} room
 * @param {Check} check
 */
function runningDesk(room, check) {
  const silent = check.asked.filter((person) => !check.answered.includes(person));
  const names = new Map(room.people.map((one) => [one.person, one]));
  const title = check.kind === "roll_call" ? "roll_call_running" : "question_running";
  const by = { answered: check.answered.length, silent: silent.length };
  const share = check.asked.length ? (100 * check.answered.length) / check.asked.length : 0;
  return [
    el(
      "header",
      { "data-testid": "running-check" },
      el(
        "div.d-flex.align-items-center.gap-3",
        {},
        el("span.yc-count.num", { role: "timer", "data-due": check.due_at, "data-from": check.opened_at }),
        el(
          "div",
          {},
          el("h2", { id: "desk-title" }, say(title, by)),
          check.prompt ? el("div", {}, check.prompt) : null,
          el("div.small.muted.num", {}, say("due", { from: clock(check.opened_at, true), at: clock(check.due_at, true) })),
        ),
      ),
    ),
    el(
      "div.px-3.mx-1",
      {},
      el(
        "div.yc-bar-h",
        { role: "img", "aria-label": say("answer_share", by) },
        el("i", { style: `width:${share}%;background:var(--yc-sprout)` }),
      ),
    ),
    el(
      "div.who",
      {},
      ...silent.map((person) => silentRow(names.get(person), person)),
      el("div", { style: "grid-template-columns:1fr;border:0" }, el("small", {}, say("missed_hint"))),
    ),
  ];
}

/**
 * @param {Person | undefined} person
 * @param {number} id
 */
function silentRow(person, id) {
  return el(
    "div",
    { "data-person": id },
    avatar(person ? person.name : "?"),
    el(
      "span",
      {},
      person ? person.name : "",
      person && person.online
        ? el("small", {}, say("online"))
        : el("small.t-stop", {}, icon("wifi-off"), " ", say("offline")),
    ),
  );
}

/** @param {Check[]} checks */
function recap(checks) {
  return el(
    "div.yc-recap",
    {},
    ...checks.map((one) =>
      el(
        "div",
        {},
        el("b.num", {}, `${say(one.kind)} ${clock(one.opened_at)}`),
        say("recap", { answered: one.answered.length, asked: one.asked.length }),
      ),
    ),
  );
}

/**
 * The card that asks a trainee whether they are there. It takes the focus once, when it comes.
 * @param {Check | null} check - running, and asking this person
 */
export function drawCall(check) {
  const card = byId("call");
  const shown = card.dataset.check ?? "";
  const wanted = check && check.mine ? `${check.check}${check.mine.answered ? "+" : ""}` : "";
  if (shown === wanted) return;
  card.dataset.check = wanted;
  card.hidden = !wanted;
  if (!check || !check.mine) {
    fill(card, []);
    return;
  }
  if (check.mine.answered) {
    fill(card, [el("p.t-ok", { role: "status" }, icon("check"), " ", say("you_answered"))]);
    return;
  }
  const roll = check.kind === "roll_call";
  fill(card, [
    el(
      "div.d-flex.justify-content-between.align-items-baseline.gap-2",
      {},
      el("h2", { id: "call-title", tabindex: "-1" }, roll ? say("are_you_there") : check.prompt),
      el("span.num.t-now.fw-semibold.nowrap", {
        role: "timer",
        "data-due": check.due_at,
        "data-from": check.opened_at,
        "data-words": "time_left",
      }),
    ),
    ...(roll
      ? [answerButton(check, null, "hand-stop", say("i_am_here"))]
      : check.options.map((option, number) => answerButton(check, number, null, option))),
    el("p.visually-hidden", { role: "status", id: "call-spoken" }),
  ]);
  const first = card.querySelector(roll ? "button" : "h2");
  if (first instanceof HTMLElement) first.focus();
}

/**
 * @param {Check} check
 * @param {number | null} option
 * @param {string | null} name
 * @param {string} text
 */
function answerButton(check, option, name, text) {
  const look = option === null ? "button.btn.btn-primary.w-100.mt-2" : "button.btn.btn-quiet.w-100.mt-2";
  return el(
    look,
    {
      type: "button",
      "data-act": "answer",
      "data-testid": "answer",
      "data-check": check.check,
      "data-option": option,
    },
    name ? icon(name) : null,
    text,
  );
}

/**
 * Every second: the time left, drawn and, at 30 and 10 seconds, spoken.
 * @param {number} now
 */
export function drawCountdowns(now) {
  for (const timer of document.querySelectorAll("[data-due]")) {
    if (!(timer instanceof HTMLElement)) continue;
    const due = Date.parse(timer.dataset.due ?? "");
    // Never more than there was: the greeting that told the server's clock took its time to arrive.
    const whole = due - Date.parse(timer.dataset.from ?? "");
    const left = Math.max(0, Math.ceil(Math.min(due - now, whole) / 1000));
    timer.textContent = timer.dataset.words ? say(timer.dataset.words, { n: left }) : String(left);
    if (!timer.dataset.words) {
      timer.style.setProperty("--yc-left", `${Math.max(0, Math.min(100, (100 * (due - now)) / whole))}%`);
      timer.setAttribute("aria-label", say("time_left", { n: left }));
    }
    const spoken = document.getElementById("call-spoken");
    if (spoken && timer.dataset.words && (left === 30 || left === 10)) spoken.textContent = say("time_left", { n: left });
  }
}
