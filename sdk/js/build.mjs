// Builds the SDK into dist/: ESM, CommonJS, a UMD bundle with the global Atm0s, and types.
//   node sdk/js/build.mjs [--no-types]
//   --ignoring: only a UMD bundle, dist/ignoring.umd.js, of which pages can have properties ignored (src/ignored.ts)
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

// CompressionStream, RTCPeerConnection.connectionState and the like are of the same age.
const common = {
  entryPoints: [here('src/index.ts')],
  bundle: true,
  minify: true,
  sourcemap: true,
  legalComments: 'none',
  target: ['chrome94', 'firefox102', 'safari15.4'],
  logLevel: 'warning',
};

const UMD_HEAD =
  '(function(root,make){if(typeof define==="function"&&define.amd)define([],make);' +
  'else if(typeof module==="object"&&module.exports)module.exports=make();else root.Atm0s=make();' +
  '})(typeof self!=="undefined"?self:this,function(){';

async function umd(outfile, isTestBuild) {
  await build({
    ...common,
    format: 'iife',
    globalName: '__atm0s',
    outfile: here(outfile),
    banner: { js: UMD_HEAD },
    footer: { js: 'return __atm0s;});' },
    define: { ATM0S_TEST_BUILD: String(isTestBuild) },
  });
}

if (process.argv.includes('--ignoring')) {
  await umd('dist/ignoring.umd.js', true);
  process.exit();
}
const product = { ...common, define: { ATM0S_TEST_BUILD: 'false' } };
await build({ ...product, format: 'esm', outfile: here('dist/atm0s.js') });
await build({ ...product, format: 'cjs', outfile: here('dist/atm0s.cjs') });
await umd('dist/atm0s.umd.js', false);
if (!process.argv.includes('--no-types')) {
  rmSync(here('dist/types'), { recursive: true, force: true });
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', here('tsconfig.json')], { stdio: 'inherit' });
}
