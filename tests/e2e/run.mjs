// The browser tests: real Chromium, the real npm SDK or the project's own, the real server.
//   node tests/e2e/run.mjs [--core] [--list] [--long] [--sdk own [--shared]] [--at-once 3] [--twice] [name…]
//     a name picks the tests whose name or file contains it; --long: those that measure do so for longer;
//     --sdk own: pages use sdk/js and not the npm SDK, but where a test is made for one of them; with --shared those are
//     left out: the run without --sdk has them
//     --at-once: so many of those at a time that wait more than they work (WAIT)
//     --twice: what fails runs once more in the end, alone: a browser's own times are those of a whole machine. What passes
//     only then is counted as passed, and named
//   node tests/e2e/run.mjs --ignoring [--matrix] [--why] [name…]
//     the tests of single properties and values, with an SDK that takes no notice of one of them: its own have to fail,
//     and a call to pass; --matrix: all others, too; --why: says how its own fail; a name picks switches
// Without --twice a test that fails once has failed. The last line is JSON with the counts, for ./dev.
import { execFileSync } from 'node:child_process';
import { readdir, mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Env, startWorld } from './harness/env.mjs';
import { runMatrix } from './harness/matrix.mjs';
import { outFolder, repository } from './harness/paths.mjs';
import { collected } from './harness/test.mjs';

const TEST_SECONDS = 30;

// Files whose tests wait for facts in rooms of their own, at most of a server of their own, however long they take. The
// others measure times, look at all that a server or a machine does, or use more than one core.
const WAIT = ['call', 'codecs', 'configs', 'encryption', 'endings', 'http', 'names', 'own_sdk_call', 'own_sdk_ending',
  'own_sdk_guide', 'own_sdk_tokens', 'receivers', 'restart', 'rpc', 'senders', 'sessions', 'tokens', 'whip'];

// What the arguments name, not their options.
const WITH_VALUE = ['--sdk', '--at-once'];
const namesOf = (args) => args.filter((arg, i) => !arg.startsWith('--') && !WITH_VALUE.includes(args[i - 1]));
const valueOf = (args, option, otherwise) => (args.includes(option) ? args[args.indexOf(option) + 1] : otherwise);

async function loadTests(args) {
  const folder = new URL('./cases/', import.meta.url);
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.mjs')).sort()) {
    collected.file = file.replace('.mjs', '');
    await import(new URL(file, folder));
  }
  const sdk = chosenSdk(args);
  const names = namesOf(args);
  return collected.tests
    .filter((test) => !args.includes('--core') || test.core)
    .filter((test) => !args.includes('--shared') || !test.sdk)
    .filter((test) => !test.sdk || test.sdk === sdk || (test.sdk === 'own' && !args.includes('--sdk')))
    .map((test) => ({ ...test, sdk: test.sdk ?? sdk, waits: WAIT.includes(test.fullName.split(':')[0]) }))
    .filter((test) => names.length === 0 || names.some((name) => test.fullName.includes(name)));
}

// 'npm' or 'own'. A test of `sdk: 'own'` runs without --sdk, too; one of `sdk: 'npm'` is left out with --sdk own.
function chosenSdk(args) {
  const sdk = valueOf(args, '--sdk', 'npm');
  if (sdk !== 'npm' && sdk !== 'own') throw new Error(`--sdk ${sdk}: npm or own`);
  return sdk;
}

function buildOwnSdk(option) {
  const program = fileURLToPath(new URL('sdk/js/build.mjs', repository));
  execFileSync(process.execPath, [program, option], { stdio: 'inherit' });
}

function within(seconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function runTest(test, world) {
  const env = new Env(world, test);
  const started = Date.now();
  let failure = null;
  try {
    await within(test.seconds ?? TEST_SECONDS, test.body(env));
  } catch (error) {
    failure = error;
    await keepEvidence(env, test, error);
  }
  await env.close();
  const took = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${failure ? 'FAILED' : 'ok    '} ${test.fullName} (${took} s)`);
  if (failure) console.log('    ' + String(failure.stack || failure).split('\n').slice(0, 8).join('\n    '));
  return failure === null;
}

async function keepEvidence(env, test, error) {
  const evidence = await within(5, env.evidence()).catch((e) => 'no evidence: ' + e.message);
  const file = new URL(test.fullName.replace(/[^a-zA-Z0-9]+/g, '-') + '.log', outFolder);
  await writeFile(file, `${error.stack}\n\n${evidence}\n`);
}

// Those that wait first, `atOnce` at a time; the others alone. Returns those that failed.
async function runTests(tests, world, atOnce) {
  const failed = [];
  const run = async (waiting) => {
    for (let test; (test = waiting.shift()); ) if (!(await runTest(test, world))) failed.push(test);
  };
  if (atOnce === 1) {
    await run([...tests]);
    return failed;
  }
  const waiting = tests.filter((test) => test.waits);
  await Promise.all(Array.from({ length: atOnce }, () => run(waiting)));
  await run(tests.filter((test) => !test.waits));
  return failed;
}

// More than a few that fail have failed: a machine is not busy all the time.
const TWICE_AT_MOST = 5;

async function runFailedAgain(failed, world) {
  if (failed.length > TWICE_AT_MOST) return failed;
  console.log(`       once more: ${failed.map((test) => test.fullName).join(', ')}`);
  const still = await runTests(failed, world, 1);
  for (const test of failed) if (!still.includes(test)) console.log(`only the second time: ${test.fullName}`);
  return still;
}

async function runIgnoring(args) {
  buildOwnSdk('--ignoring');
  const world = await startWorld();
  const counts = await runMatrix(world, { isWhole: args.includes('--matrix'), names: namesOf(args) });
  await world.close();
  return counts;
}

function finish({ passed, failed }) {
  console.log(JSON.stringify({ suite: 'e2e', passed, failed, skipped: 0 }));
  process.exit(failed === 0 && passed > 0 ? 0 : 1);
}

async function main() {
  const args = process.argv.slice(2);
  if (args.includes('--ignoring')) return finish(await runIgnoring(args));
  const tests = await loadTests(args);
  if (args.includes('--list')) return tests.forEach((test) => console.log((test.core ? '* ' : '  ') + test.fullName));
  await rm(outFolder, { recursive: true, force: true });
  await mkdir(outFolder, { recursive: true });

  if (tests.some((test) => test.sdk === 'own')) buildOwnSdk('--no-types');

  const world = await startWorld().catch((error) => {
    console.log('FAILED to start: ' + error.stack);
    return null;
  });
  if (!world) return finish({ passed: 0, failed: Math.max(1, tests.length) });
  let failed = await runTests(tests, world, Number(valueOf(args, '--at-once', 1)));
  if (failed.length > 0 && args.includes('--twice')) failed = await runFailedAgain(failed, world);
  await world.close();
  finish({ passed: tests.length - failed.length, failed: failed.length });
}

await main();
