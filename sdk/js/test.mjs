// The SDK's tests in Node.js: types, units, uses of the types, size of the bundle.   node sdk/js/test.mjs [file…]
// The last line is JSON with the counts, for ./dev.
import { execFileSync, spawnSync } from 'node:child_process';
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

function compiles(what, project) {
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', here(project)], { encoding: 'utf8' });
  if (status !== 0) console.log(stdout);
  count(what, status === 0);
}

// The lines of the README, each block by itself, with what it takes for granted.
function compileReadme() {
  const blocks = [...readFileSync(here('README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(
    (found) => found[1],
  );
  const given = 'declare const token: string; declare const button: HTMLButtonElement;\n';
  const session = "import type { Session } from 'atm0s-client'; declare const session: Session;\n";
  blocks.forEach((code, i) =>
    writeFileSync(
      `${out}readme_${i}.ts`,
      given + (code.includes('const session') ? '' : session) + code + '\nexport {};\n',
    ),
  );
  const config = JSON.parse(readFileSync(here('types_test/uses.json'), 'utf8'));
  config.compilerOptions.paths = { 'atm0s-client': [here('dist/types/index.d.ts')] };
  config.files = blocks.map((_, i) => `./readme_${i}.ts`);
  writeFileSync(out + 'readme.json', JSON.stringify(config));
  compiles(`the README's ${blocks.length} examples are well typed`, '../../build/sdk/readme.json');
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
  compiles('the tests are well typed', 'tsconfig.tests.json');
  compiles('right uses of the types are taken, wrong ones are not', 'types_test/uses.json');
  compileReadme();
  compiles('code for the npm SDK has the types of the npm SDK', 'types_test/first_generation_npm.json');
  compiles('code for the npm SDK has our types', 'types_test/first_generation_ours.json');
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
