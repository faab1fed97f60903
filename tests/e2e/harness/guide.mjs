// What the guides show, for tests that run it as it stands there.
import { readFile } from 'node:fs/promises';
import { repository } from './paths.mjs';

// The one code block of that language in docs/guides/`file` that has `text` in it.
export async function block(file, language, text) {
  const guide = await readFile(new URL('docs/guides/' + file, repository), 'utf8');
  const blocks = [...guide.matchAll(new RegExp('```' + language + '\\n([\\s\\S]*?)```', 'g'))].map((found) => found[1]);
  const found = blocks.filter((one) => one.includes(text));
  if (found.length !== 1) throw new Error(`${found.length} blocks of ${language} with ${text} in ${file}`);
  return found[0];
}
