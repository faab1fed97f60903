// What the test pages share, loaded before their own script: waiting until something is so, and pictures that move.
'use strict';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Asks again until the answer is truthy, and gives that.
async function until(what, ask, ms = 10_000) {
  const POLL_MS = 25;
  const end = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > end) throw new Error(`not within ${ms / 1000} s: ${what}`);
    await pause(POLL_MS);
  }
}

// A stream of a canvas on which draw(pen, step) paints another picture every so many milliseconds: frames go on being
// encoded.
function paintedStream({ width, height, fps, every }, draw) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const pen = canvas.getContext('2d');
  let step = 0;
  setInterval(() => draw(pen, ++step), every);
  return canvas.captureStream(fps);
}
