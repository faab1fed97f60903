// The SDK's tests in Node.js: types, units, uses of the types, size of the bundle.   node sdk/js/test.mjs [file…]
// The last line is JSON with the counts, for ./dev.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const BUNDLE_MAX = 40_000;
/** Exported by the npm SDK, of no use to applications. */
const OTHERS_INSIDES = ['RealtimeSocket'];

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const out = here('../../build/sdk/');
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const counts = { passed: 0, failed: 0 };

function count(what, passes) {
  ++counts[passes ? 'passed' : 'failed'];
  console.log(`${passes ? 'ok    ' : 'FAILED'} ${what}`);
}

// Side by side: each compiler has one thread.
function compiles(what, project) {
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '-p', here(project)], (error, stdout) => {
      if (error) console.log(stdout);
      count(what, !error);
      resolve();
    });
  });
}

// Our types with their uses, right ones and wrong ones, with code for the npm SDK, and with each block of the README, which
// takes some names for granted. One project, for the compiler reads the browser's types anew in each.
function compileUses() {
  const readme = readFileSync(here('README.md'), 'utf8');
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((found) => found[1]);
  const given = 'declare const token: string; declare const button: HTMLButtonElement;\n';
  const session = "import type { Session } from 'atm0s-client'; declare const session: Session;\n";
  blocks.forEach((code, i) => {
    const more = code.includes('const session') ? '' : session;
    writeFileSync(`${out}readme_${i}.ts`, given + more + code + '\nexport {};\n');
  });
  const files = ['uses.ts', 'first_generation.ts'].map((name) => here('types_test/' + name));
  const project = {
    extends: here('types_test/ours.json'),
    files: [...files, ...blocks.map((_, i) => `./readme_${i}.ts`)],
  };
  writeFileSync(out + 'uses.json', JSON.stringify(project));
  const what = `our types: right uses are taken, wrong ones not, and so are ${blocks.length} examples, and code for the npm SDK`;
  return compiles(what, '../../build/sdk/uses.json');
}

const only = process.argv.slice(2);
const files = readdirSync(here('src')).filter(
  (name) => name.endsWith('_test.ts') && (!only.length || only.some((one) => name.includes(one))),
);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
execFileSync(process.execPath, [here('build.mjs')], { stdio: 'inherit' });
await build({
  entryPoints: files.map((name) => here('src/' + name)),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node18',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const { status, stdout } = spawnSync(
  process.execPath,
  ['--test', ...files.map((name) => out + name.replace('.ts', '.mjs'))],
  { encoding: 'utf8' },
);
const number = (word) => Number(new RegExp(`^[#ℹ] ${word} (\\d+)`, 'm').exec(stdout)?.[1] ?? 0);
counts.passed += number('pass');
counts.failed += Math.max(number('fail') + number('cancelled'), status === 0 ? 0 : 1);
if (status !== 0) console.log(stdout);
else console.log(`ok     ${number('pass')} unit tests`);
if (!only.length) {
  await Promise.all([
    compiles('the tests are well typed', 'tsconfig.tests.json'),
    compileUses(),
    compiles('that code has the types of the npm SDK, too', 'types_test/npm.json'),
  ]);
  const size = gzipSync(readFileSync(here('dist/atm0s.umd.js')), { level: 9 }).length;
  count(`the bundle has ${size} bytes gzipped, of at most ${BUNDLE_MAX}`, size <= BUNDLE_MAX);
  const global = {};
  new Function('self', readFileSync(here('dist/atm0s.umd.js'), 'utf8')).call(global, global);
  const esm = await import(here('dist/atm0s.js')),
    cjs = createRequire(import.meta.url)('./dist/atm0s.cjs');
  const names = (module) => Object.keys(module).sort().join();
  count('UMD, ESM and CommonJS have the same names', names(global.Atm0s) === names(esm) && names(cjs) === names(esm));
  const npm = createRequire(import.meta.url)('@8xff/atm0s-media-js');
  const missing = Object.keys(npm).filter((name) => !(name in esm) && !OTHERS_INSIDES.includes(name));
  count(`every name of the npm SDK is there${missing.length ? ', but ' + missing : ''}`, !missing.length);
}
console.log(JSON.stringify({ suite: 'sdk', ...counts, skipped: 0 }));
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);
