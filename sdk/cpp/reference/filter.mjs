// The public headers as Doxygen wants them: plain comments become those that it reads. It is called for each file of the
// reference (FILTER_PATTERNS of ../Doxyfile) and prints as many lines as the file has, so that line numbers stay true.
//
//   the comment above `#pragma once`   describes the file
//   a comment above a declaration      describes it; a blank line between them, and it is left out
//   a comment behind a declaration     describes that one; behind a brace, and in a function, it is left out
//   // --- a title                     is left out
//   lines deeper by two columns        are code
//   a line with "Impl" in it           is the library's own, and left out, as are destructors that have nothing to tell, and
//                                      what is deleted
//
// A page in Markdown: links to files that are not in the reference become their names.
//   node filter.mjs FILE
import { readFileSync } from 'node:fs';
import { basename, dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const tree = fileURLToPath(new URL('../../../', import.meta.url));
const file = process.argv[2];
const isOfC = /\/(atm0s|c_\w+)\.h$/.test(file);

/** Plain text for Doxygen: nothing in it is a command, HTML or emphasis, but for `code`. What the C API names is C++'s. */
function plain(text) {
  return text.split(/(`[^`]*`)/).map((part, i) => (i % 2 ? part : part
    .replace(/\b(As|as) ([A-Z][a-z]+[A-Z]?\w*(::\w+)?)/g, isOfC ? '$1 atm0s::$2' : '$&')
    .replace(/[\\@&$#<>]/g, '\\$&')
    .replace(/\*/g, '\\*')
    .replace(/(^|\W)(_+\w)/g, '$1\\$2')
    .replace(/::(?=[^\w]|$)/g, '\\::'))).join('');
}

/** The lines of one comment, without slashes, as those of a comment of Doxygen's. Code has an empty line on both sides. */
function described(lines) {
  const isCode = (i) => /^ {3,}\S/.test(lines[i] ?? '');
  return lines.map((line, i) => {
    if (isCode(i)) return `/// ${line.slice(3)}`;
    const around = [isCode(i - 1) ? ' @endcode' : '', isCode(i + 1) ? ' @code' : ''].join('');
    return `///${plain(line)}${line.trim() ? '' : around}`;
  });
}

/** "int a;  // b" by its declaration and its comment; text in quotes is none. */
function split(line) {
  const found = /^((?:[^"/]|"(?:[^"\\]|\\.)*"|\/(?!\/))*?)\s*\/\/(.*)$/.exec(line);
  return found && found[1].trim() ? [found[1], found[2]] : null;
}

const isLeftOut = (line) => /\bImpl\b|^ *(virtual )?~\w+\(\)[^/]*;$|= delete;$/.test(line);

function header(text, name) {
  const lines = text.split('\n');
  const out = [];
  let body = null;  // the line that ends the function in which we are
  for (let i = 0; i < lines.length;) {
    if (body ?? /^ *[^#/ ].*\).*\{$/.test(lines[i])) {
      body ??= `${/^ */.exec(lines[i])[0]}}`;
      if (lines[i] === body) body = null;
      out.push(split(lines[i])?.[0] ?? lines[i].replace(/^ *\/\/.*/, ''));
      ++i;
      continue;
    }
    let end = i;
    while (end < lines.length && /^\s*\/\//.test(lines[end])) ++end;
    if (end > i) {
      const comment = lines.slice(i, end).map((line) => line.replace(/^\s*\/\//, ''));
      const next = lines[end] ?? '';
      if (/^#pragma once/.test(next)) out.push(...described(comment), `/// @file ${name}`), ++end;
      else if (!next.trim() || isLeftOut(next)) out.push(...comment.map(() => ''));
      else {
        const titles = /^ ---/.test(comment[0]) ? 1 : 0;
        out.push(...comment.slice(0, titles).map(() => ''), ...described(comment.slice(titles)));
      }
      i = end;
      continue;
    }
    const both = split(lines[i]);
    if (isLeftOut(lines[i])) out.push('');
    else if (!both) out.push(lines[i]);
    else out.push(/^[ }\]);]*$/.test(both[0]) ? both[0] : `${both[0]}  ///<${plain(both[1])}`);
    ++i;
  }
  return out.join('\n');
}

function page(text, file) {
  const out = (path) => relative(tree, normalize(join(dirname(file), path)));
  return text.split(/^(```[^]*?^```)/m).map((part, i) => (i % 2 ? part : part
    .replace(/\[([^\]]+)\]\(([^)#]+)(#[^)]*)?\)/g, (whole, title, path) =>
      (/^https?:/.test(path) ? whole : `${title} (\`${out(path)}\`)`)))).join('');
}

const text = readFileSync(file, 'utf8');
process.stdout.write(file.endsWith('.md') ? page(text, file) : header(text, basename(file)));
