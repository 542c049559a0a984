/**
 * Pictures and sound: sending one's own, receiving others'. Three JSON calls and plain peer connections; all
 * signalling with the media server is the platform's.
 */

import { Refused, send } from "../yc/http.js";

const CAMERA = { audio: true, video: { width: 640, height: 480, frameRate: 20 } };
const VIDEO_BITRATE = 500_000;
const TRIES = 8; // for a feed, or for one's own picture, to arrive
const PAUSE = 700; // milliseconds between two of them
const NOT_YET = ["feed_not_ready", "media_not_ready"];

/**
 * @typedef {{lesson: string, connection: () => string | null, iceServers: RTCIceServer[]}} Place
 *   `lesson` is the address of the lesson in the API
 */

/**
 * Every candidate is sent with the description, so gathering comes first; a second is enough on any network that works.
 * @param {RTCPeerConnection} peer
 * @returns {Promise<string>}
 */
function gathered(peer) {
  return new Promise((resolve) => {
    const done = () => resolve(peer.localDescription ? peer.localDescription.sdp : "");
    if (peer.iceGatheringState === "complete") {
      done();
      return;
    }
    const timer = setTimeout(done, 1500);
    peer.addEventListener("icegatheringstatechange", () => {
      if (peer.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      done();
    });
  });
}

/**
 * Try a call again while the platform says "not yet".
 * @template T
 * @param {() => Promise<T>} call
 * @returns {Promise<T>}
 */
async function patiently(call) {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await call();
    } catch (error) {
      if (left <= 1 || !(error instanceof Refused) || !NOT_YET.includes(error.refusal.code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

/**
 * @param {RTCPeerConnection} peer
 * @returns {Promise<void>}
 */
function connected(peer) {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (peer.connectionState === "connected") resolve();
      else if (peer.connectionState === "failed" || peer.connectionState === "closed") reject(new Error("not connected"));
    };
    peer.addEventListener("connectionstatechange", look);
    look();
  });
}

/** One's own picture and sound on their way to the room. */
export class Sender {
  /**
   * @param {Place} place
   * @param {() => void} onLost - the connection broke and must be made anew
   */
  constructor(place, onLost) {
    this.place = place;
    this.onLost = onLost;
    /** @type {MediaStream | null} */
    this.stream = null;
    /** @type {RTCPeerConnection | null} */
    this.peer = null;
    this.id = "";
  }

  /** Whether the camera is wanted; a connection that breaks is then made again. */
  get isOn() {
    return this.stream !== null;
  }

  /** @throws {Refused | DOMException} */
  async start() {
    this.stream = this.stream ?? (await navigator.mediaDevices.getUserMedia(CAMERA));
    const stream = this.stream;
    this.hangUp();
    const peer = new RTCPeerConnection({ iceServers: this.place.iceServers });
    this.peer = peer;
    for (const track of stream.getTracks()) {
      const video = track.kind === "video" ? { sendEncodings: [{ maxBitrate: VIDEO_BITRATE }] } : {};
      peer.addTransceiver(track, { direction: "sendonly", streams: [stream], ...video });
    }
    await peer.setLocalDescription(await peer.createOffer());
    const sdp = await gathered(peer);
    const answer = await send(`${this.place.lesson}media/publish/`, {
      data: { connection: this.place.connection(), sdp },
    });
    this.id = answer.peer;
    await peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    await connected(peer);
    await patiently(() => send(`${this.place.lesson}media/start/`, { data: { peer: this.id } }));
    peer.addEventListener("connectionstatechange", () => {
      if (peer === this.peer && peer.connectionState === "failed") this.onLost();
    });
  }

  /**
   * @param {"audio" | "video"} kind
   * @param {boolean} on
   */
  enable(kind, on) {
    for (const track of this.stream ? this.stream.getTracks() : []) if (track.kind === kind) track.enabled = on;
  }

  hangUp() {
    if (this.peer) this.peer.close();
    this.peer = null;
  }

  /** Switch the camera off and tell the room. */
  stop() {
    const { id, stream } = this;
    this.hangUp();
    this.stream = null;
    this.id = "";
    for (const track of stream ? stream.getTracks() : []) track.stop();
    if (id) void send(`${this.place.lesson}media/leave/`, { data: { peer: id } }).catch(() => undefined);
  }
}

/** One feed of somebody else, shown in one video element. */
export class Receiver {
  /**
   * @param {Place} place
   * @param {string} feed
   * @param {HTMLVideoElement} video
   * @param {() => void} onLost
   */
  constructor(place, feed, video, onLost) {
    this.place = place;
    this.feed = feed;
    this.video = video;
    this.onLost = onLost;
    /** @type {RTCPeerConnection | null} */
    this.peer = null;
    this.id = "";
    this.pictured = true;
  }

  /** @throws {Refused} */
  async start() {
    const offer = await patiently(() =>
      send(`${this.place.lesson}media/watch/`, { data: { connection: this.place.connection(), feed: this.feed } }),
    );
    const peer = new RTCPeerConnection({ iceServers: this.place.iceServers });
    this.peer = peer;
    this.id = offer.peer;
    const stream = new MediaStream();
    peer.addEventListener("track", ({ track }) => stream.addTrack(track));
    this.video.srcObject = stream;
    // The connection can be reached from its picture, to see how it does.
    Object.assign(this.video, { peer });
    await peer.setRemoteDescription({ type: "offer", sdp: offer.sdp });
    await peer.setLocalDescription(await peer.createAnswer());
    const sdp = await gathered(peer);
    await send(`${this.place.lesson}media/start/`, { data: { peer: this.id, sdp } });
    peer.addEventListener("connectionstatechange", () => {
      if (peer === this.peer && peer.connectionState === "failed") this.onLost();
    });
    if (!this.pictured) await this.showPicture(false);
  }

  /**
   * Have the picture sent or not; the sound comes either way.
   * @param {boolean} on
   */
  async showPicture(on) {
    this.pictured = on;
    const pictures = this.peer ? this.peer.getTransceivers().filter((one) => one.receiver.track.kind === "video") : [];
    for (const { mid } of pictures) {
      await send(`${this.place.lesson}media/configure/`, { data: { peer: this.id, mid, send: on } });
    }
  }

  stop() {
    const { id, peer } = this;
    this.peer = null;
    this.id = "";
    if (peer) peer.close();
    this.video.srcObject = null;
    if (id) void send(`${this.place.lesson}media/leave/`, { data: { peer: id } }).catch(() => undefined);
  }
}
