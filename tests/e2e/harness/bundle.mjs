// CommonJS packages of npm as one script for a page: clients that nobody here wrote, as they were published.
import { createRequire, isBuiltin } from 'node:module';
import { readFile } from 'node:fs/promises';
import { repository } from './paths.mjs';

const REQUIRE = /\brequire\(["']([^"']+)["']\)/g;

// A script that sets `globalThis[name]` to what the package exports.
export async function bundle(packageName, name) {
  const files = new Map(); // path: its number and text
  // "events" is a package for pages, and a builtin module of Node.js: the slash asks for the package.
  const resolve = (wanted, from) => {
    const { resolve: find } = createRequire(from);
    try { return find(wanted + '/'); } catch { return find(wanted); }
  };
  const add = async (path) => {
    if (files.has(path)) return;
    const file = { number: files.size, text: '' };
    files.set(path, file);
    if (isBuiltin(path)) return; // of a branch that no page takes: empty there
    const text = await readFile(path, 'utf8');
    for (const [, wanted] of text.matchAll(REQUIRE)) await add(resolve(wanted, path));
    file.text = text.replace(REQUIRE, (_, wanted) => `require(${files.get(resolve(wanted, path)).number})`);
  };
  await add(resolve(packageName, new URL('package.json', repository)));
  const modules = [...files.values()].map((file) => `function (module, exports, require) {${file.text}\n}`);
  return `(() => { const modules = [${modules.join(',\n')}], loaded = [];
    const require = (i) => {
      if (!loaded[i]) modules[i](loaded[i] = { exports: {} }, loaded[i].exports, require);
      return loaded[i].exports;
    };
    globalThis[${JSON.stringify(name)}] = require(0); })();`;
}
