// The reference of the public headers: Doxygen as ../Doxyfile says, on each folder `include` of the SDK that there is.
//   node sdk/cpp/reference/build.mjs   what `./dev docs` calls: into build/reference; what is not described is an error
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const tree = fileURLToPath(new URL('../../../', import.meta.url));

/** The folders of public headers: sdk/cpp/include, and those of optional parts, as sdk/cpp/gst/include. */
export function publicFolders() {
  const parts = readdirSync(`${tree}sdk/cpp`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return ['sdk/cpp/include', ...parts.map(({ name }) => `sdk/cpp/${name}/include`)]
    .filter((folder) => existsSync(`${tree}${folder}`));
}

/** What Doxygen objects to; '' when all is described. `folders` and `output` are paths from the topmost folder. */
export function makeReference({ folders = publicFolders(), output = 'build/reference' } = {}) {
  mkdirSync(`${tree}${output}`, { recursive: true });
  const config = [readFileSync(`${tree}sdk/cpp/Doxyfile`, 'utf8'), `INPUT = ${folders.join(' ')} docs/cpp-sdk.md`,
    `OUTPUT_DIRECTORY = ${output}`, ''].join('\n');
  const { status, stderr, error } = spawnSync('doxygen', ['-'], { cwd: tree, input: config, encoding: 'utf8' });
  if (error) return String(error);
  return status === 0 && !stderr ? '' : stderr.replaceAll(tree, '') || `doxygen: ${status}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = makeReference();
  if (problem) console.error(problem.trimEnd());
  else console.log('build/reference/index.html');
  process.exit(problem ? 1 : 0);
}
