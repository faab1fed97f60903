// The test page with an SDK (page/lab.js) on a host of its own (harness/namespaces.mjs). The hosts reach nobody but the
// server, so the page is not served but handed to the browser; on localhost it is a secure context.
import { Peer } from './peer.mjs';
import { pageFile } from './static.mjs';

const ORIGIN = 'http://localhost';

// `path` of the page: '/' with the npm SDK, '/own' with ours.
export async function openFarPage(browser, path, { room, name, server }) {
  const context = await browser.newContext({ permissions: ['camera', 'microphone', 'local-network-access'] });
  const page = await context.newPage();
  await page.route(ORIGIN + '/**', async (route) => {
    const file = await pageFile(new URL(route.request().url()).pathname);
    return route.fulfill(file ?? { status: 404 });
  });
  const peer = Object.assign(new Peer(page, { room, name, server }), { context });
  await page.goto(ORIGIN + path);
  return peer;
}
