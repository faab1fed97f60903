// The list of symbols of sdk/cpp/abi against what a library exports.
//
// Its first line is "# major N", followed by ", not released" as long as nobody has that library: until then symbols may go
// with an update, afterwards only with a higher major version (SemVer), which the library's soname has.

// list: the checked-in text; now: the symbols; answers what is wrong, or else nothing, and what the list should be.
export function abiDifference({ list, now, major, isUpdate }) {
  const head = /^# major (\d+)(, not released)?$/m.exec(list);
  const before = list.split('\n').filter((line) => line && !line.startsWith('#'));
  const gone = before.filter((name) => !now.includes(name));
  const added = now.filter((name) => !before.includes(name));
  const isReleased = head && !head[2] && Number(head[1]) >= major;
  const text = `# major ${major}${isReleased ? '' : ', not released'}\n${[...now].sort().join('\n')}\n`;
  let problem = null;
  if (gone.length && isReleased) {
    problem = `gone, which takes a higher major version than ${major}:\n${gone.join('\n')}`;
  } else if (!isUpdate && (gone.length || added.length || !head || Number(head[1]) !== major)) {
    problem = ['UPDATE_ABI=1 ./dev test package writes the list anew', ...gone.map((name) => `- ${name}`),
      ...added.map((name) => `+ ${name}`)].join('\n');
  }
  return { problem, text };
}
