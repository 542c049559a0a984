/**
 * The room's socket: connecting and connecting again, heartbeats, and whether the network is good.
 * docs/live-protocol.md is what it says and hears.
 */

/** @typedef {import("./state.js").RoomEvent} RoomEvent */
/** @typedef {{connection: string, seq: number, nonce: string, heartbeat_seconds: number, timeout_seconds: number,
 *   at: string}} Hello */
/** @typedef {"connecting" | "good" | "weak" | "broken" | "stopped"} Link */

/** Codes with which the server closes a socket that is not to come back by itself. */
const FINAL = { 4001: "signed-out", 4003: "not-allowed", 4009: "taken-over", 4011: "lesson-closed" };
const WEAK_AFTER = 1500; // milliseconds from a heartbeat to its answer
const PAUSES = [500, 1000, 2000, 4000, 8000, 15000]; // milliseconds before each next try

export class RoomSocket {
  /**
   * @param {string} url
   * @param {{
   *   onHello: (hello: Hello) => void,
   *   onEvent: (event: RoomEvent) => void,
   *   onBehind: (seq: number) => void,
   *   onLink: (link: Link) => void,
   *   onRefusal: (refusal: Record<string, any>) => void,
   *   onStopped: (why: string) => void,
   * }} handlers `onBehind` hears the room's last number, which may be ahead of what has come
   */
  constructor(url, handlers) {
    this.url = url;
    this.handlers = handlers;
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {Hello | null} */
    this.hello = null;
    this.nonce = "";
    this.number = 0;
    this.beatAt = 0;
    this.heardAt = 0;
    this.tries = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.again = undefined;
    this.stopped = false;
  }

  connect() {
    clearTimeout(this.again);
    this.stopped = false;
    this.handlers.onLink("connecting");
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.heardAt = Date.now();
    socket.addEventListener("message", ({ data }) => {
      if (socket === this.socket) this.hear(JSON.parse(data));
    });
    socket.addEventListener("close", ({ code }) => {
      if (socket === this.socket) this.closed(code);
    });
  }

  /** Leave for good; the server closes the presence at the last heartbeat. */
  leave() {
    this.stopped = true;
    clearTimeout(this.again);
    if (this.socket) this.socket.close(1000);
  }

  /** @param {{type: string, id: any, data: Record<string, any>}} message */
  hear(message) {
    this.heardAt = Date.now();
    switch (message.type) {
      case "hello":
        this.hello = /** @type {Hello} */ (message.data);
        this.nonce = this.hello.nonce;
        this.number = 0;
        this.beatAt = 0;
        this.tries = 0;
        this.handlers.onLink("good");
        this.handlers.onHello(this.hello);
        break;
      case "heartbeat.ack":
        this.nonce = message.data.nonce;
        this.handlers.onLink(Date.now() - this.beatAt > WEAK_AFTER ? "weak" : "good");
        if (message.data.seq !== null) this.handlers.onBehind(message.data.seq);
        break;
      case "room.resync":
        this.handlers.onBehind(Infinity);
        break;
      case "error":
        if (message.data.message) this.handlers.onRefusal(message.data);
        break;
      case "presence.taken_over":
        break; // the close code that follows says it
      default:
        this.handlers.onEvent(/** @type {RoomEvent} */ (message));
    }
  }

  /** Called every second: beat when it is time, and give a silent connection up. */
  tick() {
    if (!this.hello || !this.socket || this.socket.readyState !== WebSocket.OPEN) {
      if (this.socket && this.socket.readyState === WebSocket.CONNECTING) this.giveUpIfSilent(15);
      return;
    }
    const now = Date.now();
    if (this.nonce && now - this.beatAt >= this.hello.heartbeat_seconds * 1000) {
      this.number += 1;
      this.beatAt = now;
      const data = { nonce: this.nonce, seq: this.number };
      this.nonce = ""; // each answers once
      this.socket.send(JSON.stringify({ type: "heartbeat", id: this.number, data }));
    } else if (!this.nonce && now - this.beatAt > WEAK_AFTER) {
      this.handlers.onLink("weak");
    }
    this.giveUpIfSilent(this.hello.timeout_seconds);
  }

  /** @param {number} seconds */
  giveUpIfSilent(seconds) {
    if (Date.now() - this.heardAt < seconds * 1000) return;
    const socket = this.socket;
    this.closed(1006);
    if (socket) socket.close();
  }

  /** @param {number} code */
  closed(code) {
    this.socket = null;
    this.hello = null;
    this.nonce = "";
    const final = FINAL[/** @type {keyof typeof FINAL} */ (code)];
    if (final || this.stopped) {
      this.stopped = true;
      this.handlers.onLink("stopped");
      this.handlers.onStopped(final ?? "left");
      return;
    }
    this.handlers.onLink("broken");
    const pause = PAUSES[Math.min(this.tries, PAUSES.length - 1)];
    this.tries += 1;
    // Not all at once when a whole class was cut off together.
    this.again = setTimeout(() => this.connect(), pause * (0.5 + Math.random()));
  }

  /** Try at once, because the browser says that the network is back. */
  hurry() {
    if (!this.stopped && !this.socket) this.connect();
  }
}
