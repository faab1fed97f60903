// What docs/guides/web-app.md shows is run as it stands there: its page with both SDKs, and the lines for our own.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { assert, test } from '../harness/test.mjs';
import { blocks, readGuide } from '../harness/guide.mjs';
import { ownSdkFile, sdkFile } from '../harness/paths.mjs';
import { makeToken } from '../harness/tokens.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const guide = await readGuide('web-app.md');
const [page] = blocks(guide, 'html');
const lines = blocks(guide.split("## With the project's own SDK")[1], 'js');

// As the guide's backend, which the secret makes no difference to.
async function startApplication(env, sdk) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://x');
    if (url.pathname === '/join') {
      const token = makeToken({ room: env.room, peer: url.searchParams.get('peer') });
      return response.end(JSON.stringify({ server: env.server.url, room: env.room, token }));
    }
    response.setHeader('content-type', url.pathname === '/' ? 'text/html' : 'text/javascript');
    response.end(url.pathname === '/' ? page : await readFile(sdk));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

for (const [name, sdk] of [
  ['npm', sdkFile],
  ['own', ownSdkFile],
]) {
  test(`the guide's page is a call, with the ${name} SDK`, { sdk: 'own' }, async (env) => {
    const application = await startApplication(env, sdk);
    try {
      const pages = await Promise.all(['ann', 'bob'].map((peer) => env.openPage(`${application.url}/?peer=${peer}`)));
      for (const one of pages) await one.waitForFunction(() => document.querySelector('video')?.videoWidth > 0);
    } finally {
      application.close();
    }
  });
}

test("the guide's lines for our own SDK run", { sdk: 'own', core: true }, async (env) => {
  assert.equal(lines.length, 4);
  const bob = await env.join('bob', '{senders: [A(), V()], receivers: {audio: 1, video: 1}}');
  const ann = await env.join('ann', '{receivers: {audio: 1, video: 1}}');
  await ann.lab('openMedia');
  // A page without a user has no screen to share.
  await ann.page.evaluate(() => {
    navigator.mediaDevices.getDisplayMedia = async () => lab.painted('red');
  });
  for (const code of lines) await ann.lab('run', `const stream = lab.media; ${code}`);
  await seesAndHears(bob, ann, ['camera']);
  await bob.view(ann, 'screen', 'screen');
  await bob.lab('waitColour', 'screen', 'red');
  await env.join('carol', '{senders: [V()]}');
  await ann.page.waitForFunction(() => document.querySelector('video')?.videoWidth > 0);
});
