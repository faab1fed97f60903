// An npm package as one script for a page: clients that nobody here wrote, as they were published.
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { repository } from './paths.mjs';

// A script that sets the page's global `name` to what the package exports.
export async function bundle(packageName, name) {
  const { outputFiles: [script] } = await build({
    stdin: { contents: `export * from ${JSON.stringify(packageName)};`, resolveDir: fileURLToPath(repository) },
    bundle: true, write: false, format: 'iife', globalName: name, platform: 'browser', logLevel: 'silent' });
  return script.text;
}
