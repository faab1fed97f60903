// How a case file declares its tests, and the few checks that they need.
import assert from 'node:assert/strict';

export const collected = { file: '', tests: [] };

// options: core (part of ./dev test), seconds (its time-out), sdk ('npm' or 'own': made for that one alone)
export function test(name, options, body) {
  collected.tests.push({ ...options, name, fullName: `${collected.file}: ${name}`, body });
}

export { assert };

// Asks again until the answer is truthy; a fact of this side (the server's, a file's), not of a page.
export async function until(what, ask, seconds = 10) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
