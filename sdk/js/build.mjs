// Builds the SDK into dist/: ESM, CommonJS, a UMD bundle with the global Atm0s, and types.   node sdk/js/build.mjs [--no-types]
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

// CompressionStream, RTCPeerConnection.connectionState and the like are of the same age.
const common = { entryPoints: [here('src/index.ts')], bundle: true, minify: true, sourcemap: true, legalComments: 'none',
  target: ['chrome94', 'firefox102', 'safari15.4'], logLevel: 'warning' };

const UMD_HEAD = '(function(root,make){if(typeof define==="function"&&define.amd)define([],make);' +
  'else if(typeof module==="object"&&module.exports)module.exports=make();else root.Atm0s=make();' +
  '})(typeof self!=="undefined"?self:this,function(){';

await build({ ...common, format: 'esm', outfile: here('dist/atm0s.js') });
await build({ ...common, format: 'cjs', outfile: here('dist/atm0s.cjs') });
await build({ ...common, format: 'iife', globalName: '__atm0s', outfile: here('dist/atm0s.umd.js'),
  banner: { js: UMD_HEAD }, footer: { js: 'return __atm0s;});' } });
if (!process.argv.includes('--no-types')) {
  rmSync(here('dist/types'), { recursive: true, force: true });
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', here('tsconfig.json')], { stdio: 'inherit' });
}
