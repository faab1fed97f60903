// libwebrtc on the cases of RFC 8867 and RFC 8869: Chromium's peers, in real time, with the simulation's path between
// them (relay.cpp). Leaves CASE.reference.csv, .gp and .txt in FOLDER, which the table of rfc8867 shows beside ours.
//   node tests/rfc8867/reference/run.mjs RELAY FOLDER [CASE…]      CASE: as its name begins; none: all
// Figures are the machine's as well: nothing else should run. A line for each case says whether it kept up.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startBrowser } from '../../e2e/harness/browser.mjs';

const PAGE = 'http://localhost/'; // not served: a secure context
const PAGE_SCRIPT = fileURLToPath(new URL('page.js', import.meta.url));
const AROUND = 0.054; // of a full packet: IP, UDP, RTP with extensions, SRTP's tag; the case's most is with them
const ASK_MS = 200;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// In front of a program that has to run when it is due. Only root may; else it runs as it comes.
const promptly = () => (spawnSync('chrt', ['--fifo', '1', 'true']).status === 0 ? ['chrt', '--fifo', '1'] : []);

class Relay {
  constructor(program, folder, id) {
    const [command, ...args] = [...promptly(), program, folder, id];
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.exited = new Promise((resolve) => this.child.once('exit', resolve));
  }

  async read() {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`the relay ended with ${await this.exited}`);
    return value;
  }

  tell(line) { this.child.stdin.write(line + '\n'); }
}

async function openPage(browser) {
  const context = await browser.newContext({ permissions: ['local-network-access'] });
  const page = await context.newPage();
  await page.route(PAGE + '**', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
  await page.goto(PAGE);
  await page.addScriptTag({ path: PAGE_SCRIPT });
  return page;
}

async function play(browser, relay) {
  const told = JSON.parse(await relay.read());
  const page = await openPage(browser);
  const mostBps = Math.round(told.mostBps * (1 - AROUND));
  for (const flow of told.flows) await page.evaluate((flow) => reference.connect(flow), { ...flow, mostBps });
  relay.tell('start');
  await page.evaluate(() => reference.begin());
  let isDone = false;
  const done = relay.read().then(() => { isDone = true; });
  while (!isDone) {
    const targets = await page.evaluate(() => reference.targets());
    targets.forEach((bps, i) => relay.tell(`target ${i} ${Math.round(bps)}`));
    await Promise.race([done, pause(ASK_MS)]);
  }
  await done;
  const flows = await page.evaluate(() => reference.end());
  for (const { freeze } of flows) relay.tell(`freeze ${freeze}`);
  relay.child.stdin.end();
  console.log(`${told.id}: ${await relay.read()}`);
  flows.forEach((flow, i) => console.log(`  flow ${i + 1}: ${JSON.stringify(flow)}`));
  await page.context().close();
}

async function main() {
  const [program, folder, ...wanted] = process.argv.slice(2);
  const all = execFileSync(program, ['--cases'], { encoding: 'utf8' }).trim().split('\n');
  const cases = all.filter((id) => wanted.length === 0 || wanted.some((name) => id.startsWith(name)));
  if (cases.length === 0) throw new Error(`there is no case ${wanted.join(', ')}; there are ${all.join(', ')}`);
  const browser = await startBrowser();
  console.log(`Chromium ${browser.version()}, ${cases.length} cases in real time`);
  let failed = 0;
  for (const id of cases) {
    const relay = new Relay(program, folder, id);
    await play(browser, relay).catch((error) => {
      ++failed;
      console.log(`${id} FAILED: ${error.stack}`);
      relay.child.kill();
    });
  }
  await browser.close();
  process.exit(failed === 0 ? 0 : 1);
}

await main();
