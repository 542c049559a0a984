/** What can be tried of a phone before a lesson: the way to the platform, and the loudspeaker. */

const PROBES = 3;
const WEAK = 600; // milliseconds for a file of a few hundred bytes

/**
 * Fetch a small file a few times; the middle answer counts.
 * @param {string} url
 * @returns {Promise<"good" | "weak" | "off">}
 */
export async function measureNetwork(url) {
  /** @type {number[]} */
  const took = [];
  for (let probe = 0; probe < PROBES; probe += 1) {
    const began = performance.now();
    try {
      await fetch(url, { cache: "no-store" });
    } catch {
      return "off";
    }
    took.push(performance.now() - began);
  }
  took.sort((a, b) => a - b);
  return took[Math.floor(PROBES / 2)] > WEAK ? "weak" : "good";
}

/**
 * Play a short tone; needs a tap. False where the browser has no sound to play.
 * @returns {Promise<boolean>}
 */
export async function playTone() {
  if (typeof AudioContext === "undefined") return false;
  const context = new AudioContext();
  await context.resume();
  const tone = context.createOscillator();
  const volume = context.createGain();
  volume.gain.value = 0.2;
  tone.connect(volume).connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + 0.4);
  await new Promise((resolve) => {
    tone.onended = resolve;
  });
  await context.close();
  return true;
}
