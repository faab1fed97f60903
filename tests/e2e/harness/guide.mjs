// What the guides show, for tests that run it as it stands there.
import { readFile } from 'node:fs/promises';
import { repository } from './paths.mjs';

// The code blocks of that language in a text.
export const blocks = (text, language) =>
  [...text.matchAll(new RegExp('```' + language + '\\n([\\s\\S]*?)```', 'g'))].map((found) => found[1]);

// The one of them in docs/guides/`file` that has `text` in it.
export async function block(file, language, text) {
  const found = blocks(await readGuide(file), language).filter((one) => one.includes(text));
  if (found.length !== 1) throw new Error(`${found.length} blocks of ${language} with ${text} in ${file}`);
  return found[0];
}

export const readGuide = (file) => readFile(new URL('docs/guides/' + file, repository), 'utf8');
