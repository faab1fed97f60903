// The examples of docs/session-protocol.md that are calls of HTTP: its blocks of `sh` are run in their order, each held
// to the block behind it. Conversations over the data channel are held by tests/sim/protocol_examples_test.cpp.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { repository } from '../harness/paths.mjs';
import { assert, test } from '../harness/test.mjs';
import { SECRET } from '../harness/tokens.mjs';

const PAGE = 'docs/session-protocol.md';
const SETTINGS = /^(URL|SECRET)=.*$/gm; // the page's are those of ./dev run
const MEASURED = ['https_port'];

// [{line, script, info, answer}], of blocks that have none both are undefined.
function readExamples(text) {
  const out = [];
  let fence = null, last = null;
  text.split('\n').forEach((line, i) => {
    if (!line.startsWith('```')) return void fence?.lines.push(line);
    if (!fence) return void (fence = { line: i + 1, info: line.slice(3), lines: [] });
    const code = fence.lines.join('\n');
    if (fence.info === 'sh') out.push((last = { line: fence.line, script: code }));
    else if (fence.info === 'json' || fence.info === 'http') {
      assert.ok(last && !last.info, `${PAGE}:${fence.line}: there is nothing in front of it that is answered so`);
      Object.assign(last, { info: fence.info, answer: code });
    }
    if (fence.info !== 'sh') last = null;
    fence = null;
  });
  return out;
}

// "…" stands for any text.
const isLike = (pattern, text) =>
  new RegExp('^' + pattern.split('…').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('[^]*') + '$').test(text);

function fits(example, came, key) {
  if (typeof example === 'string' && typeof came === 'string') return isLike(example, came);
  if (example === null || typeof example !== 'object') {
    return example === came || (MEASURED.includes(key) && typeof example === typeof came);
  }
  if (came === null || typeof came !== 'object' || Object.keys(example).length !== Object.keys(came).length) return false;
  return Object.entries(example).every(([name, value]) => name in came && fits(value, came[name], name));
}

// Every line of the example, in this order; others may stand between them.
function hasLines(example, came) {
  const lines = came.split(/\r?\n/);
  return example.split('\n').every((pattern) => {
    while (lines.length) if (isLike(pattern, lines.shift())) return true;
    return false;
  });
}

// What each script wrote, all of them in one shell.
async function runAll(scripts, url) {
  const folder = await mkdtemp(join(tmpdir(), 'atm0s-examples-'));
  await symlink(fileURLToPath(new URL('tests', repository)), join(folder, 'tests'));
  const mark = '===== next example';
  const shell = spawn('bash', { cwd: folder, env: { ...process.env, URL: url, SECRET }, stdio: ['pipe', 'pipe', 'inherit'] });
  let written = '';
  shell.stdout.setEncoding('utf8').on('data', (chunk) => { written += chunk; });
  shell.stdin.end(scripts.map((script) => `${script.replace(SETTINGS, '')}\necho; echo '${mark}'\n`).join(''));
  await new Promise((resolve) => shell.once('close', resolve));
  await rm(folder, { recursive: true });
  return written.split(`\n${mark}\n`).map((text) => text.trim());
}

test('what a shell asks is answered as it stands there', { core: true, sdk: 'npm', seconds: 60 }, async (env) => {
  const examples = readExamples(await readFile(new URL(PAGE, repository), 'utf8'));
  assert.ok(examples.length > 20);
  const written = await runAll(examples.map((one) => one.script), env.server.url);
  examples.forEach(({ line, script, info, answer }, i) => {
    if (info === undefined) return assert.ok(!/curl/.test(script), `${PAGE}:${line}: how is it answered?`);
    const isIt = info === 'http' ? hasLines(answer, written[i]) : fits(JSON.parse(answer), JSON.parse(written[i]));
    assert.ok(isIt, `${PAGE}:${line}: what came is ${written[i]}`);
  });
});

test('every call of HTTP is there', { core: true, sdk: 'npm' }, async () => {
  const scripts = readExamples(await readFile(new URL(PAGE, repository), 'utf8')).map((one) => one.script).join('\n');
  const commands = scripts.replace(/\$AT\b/g, '$URL/whip/conn/x').split(/[\n;]/).filter((line) => line.includes('$URL'));
  const asked = commands.map((line) => [/-X (\w+)/.exec(line)?.[1] ?? 'GET', /\$URL([\w/]+)/.exec(line)?.[1] ?? '']);
  const source = (name) => readFile(new URL('src/control/http/' + name, repository), 'utf8');
  const routes = [...(await source('router.cpp')).matchAll(/\{"([A-Z]+)", (?:"([^"]+)"|kConnPath), &Router/g)]
    .map(([, method, path]) => [method, path ?? '/webrtc/conn/']);
  const fronts = [...(await source('router_whip.cpp')).matchAll(/"(\/wh[ie]p\/endpoint)"/g)].map(([, path]) => ['POST', path]);
  assert.ok(routes.length > 8 && fronts.length === 2);
  const onSessions = ['GET', 'PATCH', 'DELETE'].map((method) => [method, '/whip/conn/']);
  for (const [method, path] of [...routes, ...fronts, ['OPTIONS', '/whip/endpoint'], ...onSessions]) {
    assert.ok(asked.some(([how, where]) => how === method && where.startsWith(path)), `no example of ${method} ${path}`);
  }
});

test('a difference is seen', { core: true, sdk: 'npm' }, async () => {
  assert.ok(fits({ a: 'x … z', b: [1], https_port: 1 }, { a: 'x y z', b: [1], https_port: 2 }));
  assert.ok(!fits({ a: 'x … z' }, { a: 'x y' }));
  assert.ok(!fits({ a: 1 }, { a: 2 }));
  assert.ok(!fits({ a: 1 }, { a: 1, b: 2 }));
  assert.ok(!fits({ a: 1, b: 2 }, { a: 1 }));
  assert.ok(hasLines('HTTP/1.1 200\nETag: "…"', 'HTTP/1.1 200\r\nX: y\r\nETag: "z"\r\n\r\nbody'));
  assert.ok(!hasLines('ETag: "…"\nHTTP/1.1 200', 'HTTP/1.1 200\r\nETag: "z"\r\n'));
});
