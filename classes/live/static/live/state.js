/**
 * What the room looks like to this person: a snapshot at one number, and the events after it applied in order.
 * Nothing here touches the page or the network.
 */

/**
 * @typedef {{type: string, id: number, data: Record<string, any>}} RoomEvent a numbered event (docs/live-protocol.md)
 * @typedef {{person: number, name: string, role: string, online: boolean}} Person
 * @typedef {{person: number, name: string, raised_at: string}} Hand
 * @typedef {{key: string, person: number, name: string, role: string, text: string, at: string,
 *   sending?: boolean, refused?: string}} Message
 * @typedef {{feed: string, person: number, name: string}} Feed
 * @typedef {{answered: boolean, option: number | null, correct: boolean | null}} MyAnswer
 * @typedef {{check: number, kind: string, prompt: string, options: string[], opened_at: string, due_at: string,
 *   closed: boolean, asked: number[], answered: number[], correct: number | null, mine: MyAnswer | null}} Check
 * @typedef {{seq: number,
 *   lesson: {id: number, title: string, state: string, starts_at: string, ends_at: string, opened_at: string | null,
 *     class: {id: number, name: string}},
 *   me: {person: number, name: string, role: string, leads: boolean},
 *   people: Person[], hands: Hand[], messages: Message[],
 *   media: {available: boolean, feeds: Feed[], ice_servers: RTCIceServer[]},
 *   checks?: Check[], sign_in?: any}} Snapshot
 */

/**
 * Puts numbered events into order. Whoever feeds it gets each event once, in order, whatever the network did.
 */
export class Sequence {
  /** @param {(event: RoomEvent) => void} apply */
  constructor(apply) {
    this.apply = apply;
    this.last = 0;
    /** @type {Map<number, RoomEvent>} */
    this.early = new Map();
  }

  /**
   * Begin after a snapshot; events that came while it was on its way follow it.
   * @param {number} seq
   */
  startAfter(seq) {
    this.last = seq;
    for (const number of [...this.early.keys()]) if (number <= seq) this.early.delete(number);
    this.drain();
  }

  /** @param {RoomEvent} event */
  take(event) {
    if (event.id > this.last) this.early.set(event.id, event);
    this.drain();
  }

  /** Whether something between the last event and those that came is missing. */
  get hasGap() {
    return this.early.size > 0;
  }

  drain() {
    for (let next = this.early.get(this.last + 1); next; next = this.early.get(this.last + 1)) {
      this.early.delete(next.id);
      this.last = next.id;
      this.apply(next);
    }
  }
}

/**
 * Apply one event to a snapshot in place; returns what it changed, for the page to draw again.
 * @param {Snapshot} room
 * @param {RoomEvent} event
 * @returns {string[]}
 */
export function applyEvent(room, event) {
  const { type, data } = event;
  switch (type) {
    case "lesson.started":
      room.lesson.state = "open";
      room.lesson.opened_at = data.at;
      return ["lesson"];
    case "lesson.ended":
      room.lesson.state = "closed";
      room.media.feeds = [];
      room.hands = [];
      for (const one of room.people) one.online = false;
      return ["lesson", "media", "people", "checks"];
    case "person.joined":
      return setOnline(room, data, true);
    case "person.left":
      return setOnline(room, data, false);
    case "message.posted":
      return addMessage(room, /** @type {Message} */ (data));
    case "hand.raised":
      room.hands = [...without(room.hands, data.person), /** @type {Hand} */ (data)];
      return ["people"];
    case "hand.lowered":
      room.hands = without(room.hands, data.person);
      return ["people"];
    case "media.feed":
      room.media.feeds = [...room.media.feeds.filter((one) => one.feed !== data.feed), /** @type {Feed} */ (data)];
      return ["media"];
    case "media.gone":
      room.media.feeds = room.media.feeds.filter((one) => one.feed !== data.feed);
      return ["media"];
    case "check.opened":
      return openCheck(room, data);
    case "check.answered":
      return answered(room, data);
    case "check.closed":
      for (const check of room.checks ?? []) if (check.check === data.check) check.closed = true;
      return ["checks", "people"];
    case "person.signed_in":
    case "person.signed_out":
      return ["sign_in"];
    default:
      return [];
  }
}

/**
 * @template {{person: number}} T
 * @param {T[]} list
 * @param {number} person
 */
function without(list, person) {
  return list.filter((one) => one.person !== person);
}

/**
 * @param {Snapshot} room
 * @param {Record<string, any>} data
 * @param {boolean} online
 */
function setOnline(room, data, online) {
  const known = room.people.find((one) => one.person === data.person);
  if (known) known.online = online;
  else if (online) room.people.push({ person: data.person, name: data.name, role: data.role, online });
  return ["people"];
}

/**
 * A message of one's own takes the place of what was shown while it was on its way.
 * @param {Snapshot} room
 * @param {Message} message
 */
export function addMessage(room, message) {
  const place = room.messages.findIndex((one) => one.key === message.key);
  if (place >= 0) room.messages.splice(place, 1);
  room.messages.push(message);
  return ["messages"];
}

/**
 * @param {Snapshot} room
 * @param {Record<string, any>} data
 */
function openCheck(room, data) {
  const asked = /** @type {number[]} */ (data.asked ?? []);
  const mine = asked.includes(room.me.person) ? { answered: false, option: null, correct: null } : null;
  const opened = /** @type {Check} */ (data);
  const check = { ...opened, closed: false, answered: [], correct: null, asked, mine };
  room.checks = [check, ...(room.checks ?? []).filter((one) => one.check !== check.check)];
  return ["checks", "people"];
}

/**
 * @param {Snapshot} room
 * @param {Record<string, any>} data
 */
function answered(room, data) {
  for (const check of room.checks ?? []) {
    if (check.check !== data.check) continue;
    if (!check.answered.includes(data.person)) check.answered.push(data.person);
    if (data.person === room.me.person && check.mine) check.mine.answered = true;
  }
  return ["checks", "people"];
}

/**
 * The check that runs now, if one does.
 * @param {Snapshot} room
 * @param {number} now - milliseconds of the server's clock
 */
export function runningCheck(room, now) {
  if (room.lesson.state !== "open") return null;
  return (room.checks ?? []).find((check) => !check.closed && Date.parse(check.due_at) > now) ?? null;
}
