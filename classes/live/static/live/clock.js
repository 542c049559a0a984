/**
 * A worker that only ticks. A page in the background is given its own timers late; a worker's come on time, and a
 * heartbeat that is late costs its owner time.
 */

setInterval(() => postMessage(null), 1000);
