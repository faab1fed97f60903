// The page that the server shows in dev mode, as a newcomer uses it.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { assert, test, until } from '../harness/test.mjs';
import { outFolder, repository } from '../harness/paths.mjs';
import { SECRET } from '../harness/tokens.mjs';
import { callOnPage, watchConnections } from '../harness/dev_page.mjs';

const shot = (page, name) => page.screenshot({ path: fileURLToPath(new URL(name, outFolder)) });

const link = (env, peer) => `${env.server.url}/?` + new URLSearchParams({ room: env.room, peer, height: 180 });

async function open(env, peer, options) {
  const page = await env.openPage(null, options);
  page.problems = [];
  page.on('console', (message) => message.type() === 'error' && page.problems.push(message.text()));
  page.on('pageerror', (error) => page.problems.push(error.message));
  await watchConnections(page);
  await page.goto(link(env, peer));
  return page;
}

test('two tabs see and hear each other', { core: true }, async (env) => {
  const [ann, ben] = await Promise.all([open(env, 'Ann'), open(env, 'Ben')]);
  await shot(ann, 'page-lobby.png');
  await callOnPage([[ann, 'Ben'], [ben, 'Ann']]);
  assert.match(await ann.textContent('#call-count'), /^2 /);
  await shot(ann, 'page-call-desktop.png');
  await ben.setViewportSize({ width: 390, height: 844 });
  await shot(ben, 'page-call-phone.png');
  const wide = await ben.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, 'nothing sticks out on a phone');

  await ann.click('#toggle-video');
  await ben.waitForSelector('.tile[data-peer="Ann"].dark');
  await ann.click('#toggle-audio');
  await ben.waitForSelector('.tile[data-peer="Ann"].silent');
  await shot(ben, 'page-call-muted.png');
  await ann.click('#toggle-video');
  await ann.click('#toggle-audio');
  await callOnPage([[ben, 'Ann']], { joined: true });

  await ann.click('#leave');
  await ann.waitForSelector('#join', { state: 'visible' });
  await ben.waitForSelector('.tile[data-peer="Ann"]', { state: 'detached' });
  assert.deepEqual([...ann.problems, ...ben.problems], []);
});

test('a name with markup stays a name', { core: true }, async (env) => {
  const evil = '<img src=x onerror="document.title=1"> & "Co"';
  const [ann, ben] = await Promise.all([open(env, 'Ann'), open(env, evil)]);
  await callOnPage([[ann, evil], [ben, 'Ann']]);
  assert.equal(await ann.textContent('#grid .tile:not(.mine) .name'), evil);
  assert.equal(await ann.locator('#grid img').count(), 0);
  assert.equal(await ann.title(), 'Atm0s room');
});

test('it loads only its own files, under a strict policy', { core: true }, async (env) => {
  const page = await env.openPage();
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  const response = await page.goto(link(env, 'Ann'));
  const policy = response.headers()['content-security-policy'] ?? '';
  assert.match(policy, /default-src '(self|none)'/);
  assert.doesNotMatch(policy, /unsafe|script-src[^;]*(\*|http)/);
  await page.waitForFunction(() => window.Atm0s);
  assert.ok(asked.every((url) => url.startsWith(env.server.url)), asked.join(' '));
  assert.match(await (await fetch(env.server.url + '/sdk/LICENSE.txt')).text(), /MIT License[\s\S]*Luong Ngoc Minh/);
});

test('one may only watch', {}, async (env) => {
  const [ann, ben] = await Promise.all([open(env, 'Ann'), open(env, 'Ben')]);
  await ann.click('#watch-button');
  await ben.click('#join-button');
  await callOnPage([[ann, 'Ben']], { joined: true });
  assert.equal(await ann.isVisible('#toggle-video'), false);
});

// In the page: the number that the test picture shows to programs (sdk/cpp/examples/test_source/test_picture.h).
const pictureNumber = () => {
  const video = document.querySelector('.tile[data-peer="bot"] video');
  const canvas = new OffscreenCanvas(32, 1);
  const context = canvas.getContext('2d');
  const height = video.videoHeight / 15;
  context.drawImage(video, 0, video.videoHeight - height, video.videoWidth, height, 0, 0, 32, 1);
  const { data } = context.getImageData(0, 0, 32, 1);
  return Array.from({ length: 24 }, (_, i) => data[i * 4 + 1] > 125).reduce((number, bit) => number * 2 + bit, 0);
};

test('a newcomer sees and hears the bot of ./dev run at once', { core: true }, async (env) => {
  const server = await env.startServer();
  const bot = spawn(fileURLToPath(new URL('build/release/bin/atm0s', repository)), ['join', '--url', server.url, '--secret', SECRET,
    '--peer', 'bot', '--publish', 'test', '--quiet'], { stdio: 'ignore' });
  env.contexts.push({ close: async () => bot.kill() });
  const page = await env.openPage(null);
  await watchConnections(page);
  await page.goto(server.url + '/');
  await page.click('#watch-button');
  await callOnPage([[page, 'bot']], { joined: true });
  const first = await page.evaluate(pictureNumber);
  await until('the picture moves', async () => {
    const number = await page.evaluate(pictureNumber);
    return number > first && number < first + 1000;
  });
  await shot(page, 'page-bot.png');
});

test('it says why the server refused', { core: true }, async (env) => {
  const page = await env.openPage(link(env, 'Ann') + '&token=wrong');
  await page.click('#join-button');
  await page.waitForSelector('#notice', { state: 'visible' });
  assert.match(await page.textContent('#notice'), /refused the token/);
});

test('it says when the server has gone', {}, async (env) => {
  const server = await env.startServer();
  const page = await env.openPage(server.url + '/?room=r&peer=Ann');
  await page.click('#join-button');
  await page.waitForFunction(() => document.getElementById('call-count').textContent);
  await server.stop();
  await page.waitForSelector('#notice', { state: 'visible' });
  assert.match(await page.textContent('#notice'), /server/);
});

test('on an insecure page it explains, and links to https', { core: true }, async (env) => {
  const page = await env.openPage();
  // As on http from another host: the browser then has no mediaDevices.
  await page.addInitScript(() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined }));
  await page.goto(link(env, 'Ann'));
  await page.waitForSelector('#notice a');
  const href = await page.getAttribute('#notice a', 'href');
  assert.equal(new URL(href).origin, env.server.httpsUrl);
  await until('the link works', async () => {
    const secure = await env.openPage(href, { ignoreHTTPSErrors: true });
    return secure.evaluate(() => isSecureContext && !!navigator.mediaDevices);
  });
});
