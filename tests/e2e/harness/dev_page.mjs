// Drives the page at "/" of the server by its visible controls, and looks at the media that it gets.

// Keeps hold of the page's connections, to ask them for their statistics.
export function watchConnections(page) {
  return page.addInitScript(() => {
    const Native = window.RTCPeerConnection;
    window.connections = [];
    window.RTCPeerConnection = class extends Native {
      constructor(...args) { super(...args); window.connections.push(this); }
    };
  });
}

// In the page: how much was decoded and heard so far, over all receivers.
const received = async () => {
  const sum = { frames: 0, energy: 0 };
  for (const connection of window.connections.slice(-1)) {
    for (const report of (await connection.getStats()).values()) {
      if (report.type !== 'inbound-rtp') continue;
      sum.frames += report.framesDecoded ?? 0;
      sum.energy += report.totalAudioEnergy ?? 0;
    }
  }
  return sum;
};

async function mediaComes(page, seconds = 10) {
  const before = await page.evaluate(received);
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const now = await page.evaluate(received);
    if (now.frames >= before.frames + 8 && now.energy > before.energy + 1e-6) return;
    if (Date.now() > end) throw new Error(`no media on the page: ${JSON.stringify({ before, now })}`);
    await page.waitForTimeout(50);
  }
}

// Joins on every page (unless they have), and waits until each shows and plays the peer named beside it.
export async function callOnPage(pages, { joined = false } = {}) {
  if (!joined) await Promise.all(pages.map(([page]) => page.click('#join-button')));
  await Promise.all(pages.map(async ([page, other]) => {
    const tile = page.locator('.tile:not(.mine)').filter({ has: page.locator('.name', { hasText: other }) });
    await tile.waitFor({ timeout: 15000 });
    await page.waitForFunction((peer) => {
      const one = [...document.querySelectorAll('.tile')].find((tile) => tile.dataset.peer === peer);
      return one && !one.classList.contains('dark') && one.querySelector('video').videoWidth > 0;
    }, other, { timeout: 15000 });
    await mediaComes(page);
  }));
}
