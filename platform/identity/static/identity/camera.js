/**
 * The camera: opening it, judging the light, and taking a burst of frames.
 * Used by every page that shows a face (enrolment here, sign-in and random checks in attendance).
 */

/** Why there is no picture: `blocked` by the person or the browser, or `missing`. */
export class NoCamera extends Error {
  /** @param {"blocked" | "missing"} reason */
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/** Frames are sent at most this wide: what the engines were measured at. */
const WIDTH = 640;
const QUALITY = 0.9;

/**
 * Show the front camera in a video element.
 * @param {HTMLVideoElement} video
 * @returns {Promise<MediaStream>}
 * @throws {NoCamera}
 */
export async function openCamera(video) {
  if (!navigator.mediaDevices?.getUserMedia) throw new NoCamera("blocked");
  /** @type {MediaStream} */
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" },
    });
  } catch (cause) {
    const name = cause instanceof DOMException ? cause.name : "";
    throw new NoCamera(name === "NotFoundError" || name === "OverconstrainedError" ? "missing" : "blocked");
  }
  video.srcObject = stream;
  await video.play();
  return stream;
}

/**
 * Let go of the camera; the last picture stays to be seen.
 * @param {HTMLVideoElement} video
 */
export function closeCamera(video) {
  if (!(video.srcObject instanceof MediaStream)) return;
  if (video.videoWidth) {
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    video.poster = canvas.toDataURL("image/jpeg");
  }
  for (const track of video.srcObject.getTracks()) track.stop();
  video.srcObject = null;
}

/**
 * Mean brightness of what the camera shows, 0 to 255.
 * @param {HTMLVideoElement} video
 * @returns {number}
 */
export function brightness(video) {
  const canvas = document.createElement("canvas");
  canvas.width = 32;
  canvas.height = 24;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context || !video.videoWidth) return 255;
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2];
  return sum / (data.length / 4);
}

/**
 * Take `n` frames as JPEG, spread over `over` milliseconds so that they are not one and the same.
 * @param {HTMLVideoElement} video - playing
 * @param {number} [n]
 * @param {{over?: number, onFrame?: (taken: number) => void}} [options]
 * @returns {Promise<Blob[]>}
 */
export async function capture(video, n = 5, { over = 1500, onFrame = () => {} } = {}) {
  /** @type {Blob[]} */
  const frames = [];
  for (let taken = 0; taken < n; taken += 1) {
    if (taken > 0) await new Promise((resolve) => setTimeout(resolve, over / (n - 1)));
    frames.push(await toJpeg(video, video.videoWidth, video.videoHeight));
    onFrame(taken + 1);
  }
  return frames;
}

/**
 * Make a phone's large photo as small as a frame. A picture this browser cannot read is sent as it is.
 * @param {File} file
 * @returns {Promise<Blob>}
 */
export async function shrink(file) {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    return await toJpeg(bitmap, bitmap.width, bitmap.height);
  } catch {
    return file;
  }
}

/**
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @returns {Promise<Blob>}
 */
async function toJpeg(source, width, height) {
  const scale = Math.min(1, WIDTH / width);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d")?.drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no JPEG"))), "image/jpeg", QUALITY);
  });
}

/**
 * Frames as the multipart body that the API takes.
 * @param {Blob[]} frames
 * @returns {FormData}
 */
export function asForm(frames) {
  const form = new FormData();
  frames.forEach((frame, index) => form.append("frames", frame, `${index}.jpg`));
  return form;
}
