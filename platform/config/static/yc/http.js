/**
 * Requests to the platform from scripts: the CSRF token, JSON, and refusals as they come from the server.
 */

/** @returns {string} */
export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
}

/**
 * What the server says when it does not do something (docs/api.md).
 * @typedef {{code: string, message: string, details: Record<string, unknown>, citation: string}} Refusal
 */

/** A request that was answered with a refusal, or not answered at all (`status` 0). */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {Refusal} refusal
   */
  constructor(status, refusal) {
    super(refusal.message);
    this.status = status;
    this.refusal = refusal;
  }
}

/**
 * Send one request; resolves with the JSON body (null when there is none).
 * @param {string} url
 * @param {{method?: string, data?: unknown, body?: BodyInit, headers?: Record<string, string>, keepalive?: boolean, signal?: AbortSignal}} [options]
 *   `data` is sent as JSON, `body` as it is
 * @returns {Promise<any>}
 * @throws {Refused}
 */
export async function send(url, options = {}) {
  const { method = "POST", data, body, headers = {}, keepalive = false, signal } = options;
  /** @type {Record<string, string>} */
  const all = { Accept: "application/json", ...headers };
  if (method !== "GET" && method !== "HEAD") all["X-CSRFToken"] = csrfToken();
  if (data !== undefined) all["Content-Type"] = "application/json";
  /** @type {Response} */
  let response;
  try {
    response = await fetch(url, {
      method,
      headers: all,
      body: data === undefined ? (body ?? null) : JSON.stringify(data),
      credentials: "same-origin",
      keepalive,
      signal: signal ?? null,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new Refused(0, { code: "unreachable", message: "", details: {}, citation: "" });
  }
  const text = await response.text();
  /** @type {any} */
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    answer = null;
  }
  if (!response.ok) {
    throw new Refused(response.status, { code: "trouble", message: "", details: {}, citation: "", ...(answer ?? {}) });
  }
  return answer;
}
