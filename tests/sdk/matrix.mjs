// The native SDK without each of its properties and values: with each switch (ignoring/ignored.cpp) exactly the tests
// of it (property_*.cpp; properties.md has the table) have to fail.
//   node tests/sdk/matrix.mjs [--whole] [--at-once N] [name…]
//     --whole: all other tests are run with each switch, too, else only a call; a name picks switches
//     --at-once: so many switches beside each other, each with a server of its own; what fails then is tried alone
// The last line is JSON with the counts, for ./dev.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const build = new URL('../../build/release/', import.meta.url);
const program = fileURLToPath(new URL('bin/sdk_cpp_test', build));
const library = fileURLToPath(new URL('ignoring', build));
const SMOKE = 'smoke';
const nameOf = (test) => `Each/Properties.Hold/${test}`;

function run(filter, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, [`--gtest_filter=${filter}`], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { said += chunk; });
    child.once('close', (code, signal) => resolve({ said, ended: signal ?? code }));
  });
}

// Which tests each switch has.
async function readTable() {
  const { said } = await run('PropertyTable.*', { ATM0S_TEST_TABLE: '1' });
  const switches = new Map();
  for (const [, one, test] of said.matchAll(/^switch (\S+) (\S+)$/gm)) {
    switches.set(one, [...(switches.get(one) ?? []), test]);
  }
  return switches;
}

async function tryOut(one, own, isWhole) {
  const filter = isWhole ? 'Each/Properties.*' : [...own, SMOKE].map(nameOf).join(':');
  const { said, ended } = await run(filter, { LD_LIBRARY_PATH: library, ATM0S_TEST_IGNORE: one });
  const of = (word) => [...said.matchAll(new RegExp(`^\\[ +${word} +\\] Each/Properties\\.Hold/(\\w+)`, 'gm'))].map(([, test]) => test);
  const red = [...new Set(of('FAILED'))];
  const green = of('OK');
  const problems = [
    ...own.filter((test) => !red.includes(test)).map((test) => `${test}: passes`),
    ...red.filter((test) => !own.includes(test)).map((test) => `${test}: fails, too`),
    ...(green.length + red.length ? [] : ['nothing ran']),
    ...(typeof ended === 'number' && ended <= 1 ? [] : [`it ended with ${ended}`]),
  ];
  return { problems, count: green.length + red.length };
}

const args = process.argv.slice(2);
const isWhole = args.includes('--whole');
const atOnceAt = args.indexOf('--at-once');
const atOnce = atOnceAt < 0 ? 1 : Number(args.splice(atOnceAt, 2)[1]);
const names = args.filter((arg) => !arg.startsWith('--'));
const switches = [...await readTable()].filter(([one]) => !names.length || names.some((name) => one.includes(name)));
let passed = 0, failed = 0;
const again = [];

async function tell([one, own], isAlone) {
  const { problems, count } = await tryOut(one, own, isWhole);
  if (problems.length && !isAlone) return again.push([one, own]);
  console.log(`${problems.length ? 'FAILED' : 'ok    '} without ${one}: ${own.join(', ')} of ${count}`);
  for (const problem of problems) console.log('    ' + problem);
  problems.length ? ++failed : ++passed;
}

const begun = Date.now();
const left = [...switches];
await Promise.all(Array.from({ length: atOnce }, async () => {
  for (let one = left.shift(); one; one = left.shift()) await tell(one, atOnce === 1);
}));
for (const one of again) {
  console.log(`again alone: ${one[0]}`);
  await tell(one, true);
}
console.log(`${switches.length} switches, ${Math.round((Date.now() - begun) / 1000)} s`);
console.log(JSON.stringify({ suite: 'matrix', passed, failed, skipped: 0 }));
process.exit(failed === 0 && passed > 0 ? 0 : 1);
