/** Following a check until it is judged. */

import { send } from "../yc/http.js";

/**
 * A check as `GET /api/v1/me/face/checks/{id}/` answers it.
 * @typedef {{id: number, purpose: string, state: string, outcome: string | null, passed: boolean, problem: string,
 *   message: string, next: string, at: string, judged_at: string | null}} FaceCheck
 */

const OFTEN = 700;
const SELDOM = 3000;
const PATIENCE = 15000;

/**
 * Ask until the check is no longer pending.
 * @param {string} url
 * @param {{onSlow?: () => void, signal?: AbortSignal}} [options] - `onSlow` is called once when it takes long
 * @returns {Promise<FaceCheck>}
 */
export async function follow(url, { onSlow = () => {}, signal } = {}) {
  const began = Date.now();
  let slow = false;
  for (;;) {
    /** @type {FaceCheck} */
    const check = await send(url, { method: "GET", signal });
    if (check.state !== "pending") return check;
    if (!slow && Date.now() - began > PATIENCE) {
      slow = true;
      onSlow();
    }
    await new Promise((resolve) => setTimeout(resolve, slow ? SELDOM : OFTEN));
  }
}
