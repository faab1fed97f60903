// libatm0s as other people get it: installed into a folder of its own, its headers compiled alone, its symbols compared with
// sdk/cpp/abi, programs outside of the tree built with CMake and with pkg-config and run against the server, Debian packages
// made.   node sdk/cpp/packaging/test/run.mjs [part of a name…]     UPDATE_ABI=1: the list of symbols anew
// The last line is JSON with the counts, for ./dev.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { blocks } from '../../../../tests/e2e/harness/guide.mjs';
import { makeReference } from '../../reference/build.mjs';
import { startServer } from '../../../../tests/e2e/harness/server.mjs';
import { makeToken, nowSeconds } from '../../../../tests/e2e/harness/tokens.mjs';
import { exampleTests } from '../../test/example_tests.mjs';
import { runTests } from '../../test/suite.mjs';
import { abiDifference } from './abi.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const tree = here('../../../../');
const build = `${tree}build/release`;
const out = `${tree}build/package`;
const prefix = `${out}/prefix`;
const WARNINGS = ['-Wall', '-Wextra', '-Wconversion', '-Werror'];
/** Of ISO C and C++: what a public header may include beside its neighbours. */
const STANDARD_C = ['stdbool.h', 'stddef.h', 'stdint.h'];

const version = /project\(atm0s .*VERSION (\d+\.\d+\.\d+)/.exec(readFileSync(`${tree}CMakeLists.txt`, 'utf8'))[1];
const major = Number(version.split('.')[0]);

const counts = { passed: 0, failed: 0 };
const only = process.argv.slice(2);

function count(what, problem) {
  ++counts[problem ? 'failed' : 'passed'];
  console.log(`${problem ? 'FAILED' : 'ok    '} ${what}`);
  if (problem) console.log(String(problem).trimEnd().split('\n').slice(0, 40).join('\n').replace(/^/gm, '    '));
}

// Its output, or an error with it.
function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    execFile(program, args, { maxBuffer: 1 << 26, timeout: 240_000, ...options }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${[program, ...args].join(' ')}: ${error.signal ?? error.code}\n${stdout}${stderr}`));
      else resolve(stdout);
    });
  });
}

// One test: passes when `body` does not throw, and what it returns is told with its name.
async function test(what, body) {
  if (only.length && !only.some((part) => what.includes(part))) return;
  try {
    const more = await body();
    count(more ? `${what}: ${more}` : what, null);
  } catch (error) {
    count(what, error.message);
  }
}

function check(isSo, problem) {
  if (!isSo) throw new Error(problem);
}

// `work` on each, as many at once as there are cores.
async function onAll(list, work) {
  const rest = [...list];
  await Promise.all(Array.from({ length: cpus().length }, async () => {
    while (rest.length) await work(rest.shift());
  }));
}

const headers = () => readdirSync(`${prefix}/include/atm0s`).sort();

// --- what is installed ------------------------------------------------------------------------------------------------

async function installs() {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  await run('cmake', ['--install', build, '--prefix', prefix]);
  const wanted = ['bin/atm0s-server', 'bin/atm0s', 'lib/libatm0s.so', 'lib/libatm0s.a', 'lib/pkgconfig/atm0s.pc',
    'lib/cmake/atm0s/atm0sConfig.cmake', 'include/atm0s/session.h', 'include/atm0s/atm0s.h',
    'include/atm0s/gst.h', 'lib/libatm0s-gst.so', 'lib/pkgconfig/atm0s-gst.pc'];
  const missing = wanted.filter((file) => !existsSync(`${prefix}/${file}`));
  check(!missing.length, `missing: ${missing}`);
  const inside = headers().filter((name) => !['', 'gst/'].some((part) => existsSync(`${tree}sdk/cpp/${part}include/atm0s/${name}`)));
  check(!inside.length, `no public header: ${inside}`);
}

async function hasSoname() {
  const dynamic = await run('readelf', ['-d', `${prefix}/lib/libatm0s.so`]);
  check(dynamic.includes(`[libatm0s.so.${major}]`), dynamic);
  check(!/RPATH|RUNPATH/.test(dynamic), 'it has a path of this machine');
}

// --- symbols ------------------------------------------------------------------------------------------------------------

const symbolLines = (text) => text.trim().split('\n').filter(Boolean);

const API = /^((typeinfo|typeinfo name|vtable) for )?atm0s::(?!.*\bImpl::)|^atm0s_[a-z0-9_]+$/;
const GST_API = /^atm0s::gst::(Source|Player)::(?!Impl\b)/;

async function exportsAlone(library, ours, least) {
  const names = symbolLines(await run('nm', ['-D', '--defined-only', '-C', `${prefix}/lib/${library}`]))
    .map((line) => line.replace(/^[0-9a-f]+ \S /, ''));
  const others = names.filter((name) => !ours.test(name) || /Impl$/.test(name));
  check(!others.length, `not of the API:\n${others.join('\n')}`);
  check(names.length > least, 'nothing is exported');
  return `${names.length} symbols`;
}

// The static library: one object, and nothing global but the same.
async function archiveHasNoMore() {
  const names = async (args) => symbolLines(await run('nm', args)).map((line) => line.split(' '))
    .filter((line) => line.length === 3).filter(([, type]) => /[A-Zu]/.test(type)).map(([, , name]) => name);
  const shared = new Set(await names(['-D', '--defined-only', `${prefix}/lib/libatm0s.so`]));
  const archive = await names(['--defined-only', `${prefix}/lib/libatm0s.a`]);
  const more = archive.filter((name) => !shared.has(name));
  check(!more.length, `global in libatm0s.a alone:\n${more.join('\n')}`);
  check(archive.length === shared.size, `${archive.length} symbols in libatm0s.a, ${shared.size} in libatm0s.so`);
}

async function keepsTheAbi(name) {
  const file = `${tree}sdk/cpp/abi/${name}.symbols`;
  const nm = await run('nm', ['-D', '--defined-only', '--format=just-symbols', `${prefix}/lib/lib${name}.so`]);
  const { problem, text } = abiDifference({
    list: existsSync(file) ? readFileSync(file, 'utf8') : '',
    now: symbolLines(nm),
    major,
    isUpdate: !!process.env.UPDATE_ABI,
  });
  check(!problem, problem);
  if (process.env.UPDATE_ABI) writeFileSync(file, text);
}

// What the list is for, on a small one.
function refusesAnAbiThatLoses() {
  const problem = (list, now, major, isUpdate = false) => abiDifference({ list, now, major, isUpdate }).problem;
  const released = '# major 1\na\nb\n';
  check(!problem(released, ['a', 'b'], 1), 'the same symbols are refused');
  check(problem(released, ['a'], 1)?.includes('\nb'), 'one is gone');
  check(problem(released, ['a'], 1, true)?.includes('\nb'), 'one is gone, and an update lets it');
  check(!problem(released, ['a'], 2, true), 'a higher major version is refused');
  check(problem(released, ['a', 'b', 'c'], 1)?.includes('+ c'), 'one more, and nobody is told');
  check(!problem(released, ['a', 'b', 'c'], 1, true), 'an update with one more is refused');
  check(!problem('# major 0, not released\na\n', ['b'], 0, true), 'before the release nothing may go');
  check(abiDifference({ list: released, now: ['a'], major: 1, isUpdate: true }).text.startsWith('# major 1\n'), 'an update takes the release back');
}

// --- headers ------------------------------------------------------------------------------------------------------------

function includesStandardAlone() {
  const wrong = [];
  for (const name of headers()) {
    for (const [, what] of readFileSync(`${prefix}/include/atm0s/${name}`, 'utf8').matchAll(/^#\s*include\s*(\S+)/gm)) {
      const own = /^"atm0s\/(.*)"$/.exec(what);
      // Headers of C++ have no ending.
      const isStandard = /^<[a-z_0-9]+>$/.test(what) || STANDARD_C.includes(what.slice(1, -1));
      if (own ? !headers().includes(own[1]) : !isStandard) wrong.push(`${name} includes ${what}`);
    }
  }
  check(!wrong.length, wrong.join('\n'));
}

async function headersCompileAlone(compiler, language, flags, names) {
  const problems = [];
  await onAll(names, async (name) => {
    const source = `${out}/${name}.${compiler.replaceAll('+', 'p')}.${language}`;
    writeFileSync(source, `#include <atm0s/${name}>\n#include <atm0s/${name}>\n`);
    const args = [...flags, ...WARNINGS, '-fsyntax-only', `-I${prefix}/include`, source];
    await run(compiler, args).catch((error) => problems.push(error.message));
  });
  check(!problems.length, problems.join('\n'));
  return `${names.length} headers`;
}

// What docs/cpp-sdk.md shows of C, as it stands there.
async function guideOfCCompiles() {
  const found = blocks(readFileSync(`${tree}docs/cpp-sdk.md`, 'utf8'), 'c');
  check(found.length > 0, 'no block of C in docs/cpp-sdk.md');
  for (const [i, block] of found.entries()) {
    writeFileSync(`${out}/guide${i}.c`, block);
    await run('gcc', ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-fsyntax-only', `-I${prefix}/include`, `${out}/guide${i}.c`]);
  }
}

// What it shows of C++, each block with what all of them may take for granted.
async function guideCompiles() {
  const found = blocks(readFileSync(`${tree}docs/cpp-sdk.md`, 'utf8'), 'cpp');
  check(found.length > 5, `${found.length} blocks of C++ in docs/cpp-sdk.md`);
  const taken = ['atm0s/session.h', 'cstdio', 'thread'].map((name) => `#include <${name}>\n`).join('');
  const problems = [];
  await onAll([...found.entries()], async ([i, block]) => {
    const source = `${out}/guide${i}.cpp`;
    writeFileSync(source, taken + block);
    const args = ['-std=c++20', '-Wall', '-Wextra', '-Werror', '-fsyntax-only', `-I${prefix}/include`, source];
    await run('g++', args).catch((error) => problems.push(error.message));
  });
  check(!problems.length, problems.join('\n'));
  return `${found.length} blocks`;
}

// --- the reference ---

function referenceIsWhole() {
  const problem = makeReference();
  check(!problem, problem);
  const pages = readdirSync(`${tree}build/reference`).filter((name) => name.endsWith('.html'));
  const [main, session] = ['index', 'classatm0s_1_1Session'].map((name) => readFileSync(`${tree}build/reference/${name}.html`, 'utf8'));
  check(main.includes('Ten lines') && session.includes('Waits until the session is up'), 'the pages are not those of the SDK');
  return `${pages.length} pages`;
}

// The same of headers to one of which something is added that nobody describes.
function referenceWantsAll() {
  const added = [['events.h', 'struct Undescribed {\n  int value;\n};'], ['config.h', 'inline int undescribed() { return 0; }'],
    ['c_values.h', 'ATM0S_API void atm0s_undescribed(void);']];
  for (const [name, line] of added) {
    rmSync(`${out}/undescribed`, { recursive: true, force: true });
    cpSync(`${tree}sdk/cpp/include`, `${out}/undescribed/include`, { recursive: true });
    const file = `${out}/undescribed/include/atm0s/${name}`;
    const text = readFileSync(file, 'utf8');
    const at = text.lastIndexOf(name.startsWith('c_') ? '#ifdef __cplusplus' : '}  // namespace atm0s');
    writeFileSync(file, `${text.slice(0, at)}${line}\n${text.slice(at)}`);
    const problem = makeReference({ folders: ['build/package/undescribed/include'], output: 'build/package/undescribed/html' });
    check(/undescribed.*is not documented/i.test(problem), `${line} in ${name}: ${problem || 'nobody objects'}`);
  }
}

// --- programs -----------------------------------------------------------------------------------------------------------

let environment;

async function startServerForAll() {
  const server = await startServer();
  const tokens = ['a', 'b', 'c', 'd'].map((peer) =>
    makeToken({ room: 'demo', peer, exp: nowSeconds() + 3600 }));
  environment = { ...process.env, ATM0S_URL: server.url, ATM0S_TOKENS: tokens.join(' '), LD_LIBRARY_PATH: `${prefix}/lib` };
  return server;
}

const programs = `${out}/programs`;

// Once, by whichever test is the first to need it.
let built;
const builtPrograms = () => (built ??= buildsWithCmake());

async function buildsWithCmake() {
  await run('cmake', ['-S', here('.'), '-B', programs, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Debug', '-DCMAKE_CXX_FLAGS_DEBUG=-O0',
    `-DCMAKE_PREFIX_PATH=${prefix}`]);
  await run('cmake', ['--build', programs]);
}

async function usesSharedLibrary(program, isShared) {
  const dynamic = await run('readelf', ['-d', program]);
  check(dynamic.includes('libatm0s.so') === isShared, `${program} is linked with the ${isShared ? 'static' : 'shared'} library`);
}

async function exampleRuns(program, isShared) {
  if (program.startsWith(programs + '/')) await builtPrograms();
  await usesSharedLibrary(program, isShared);
  return (await run(program, [], { env: environment, timeout: 60_000 })).trim();
}

// What `pkg-config` says, with the static library where the shared one is meant.
async function buildsWithPkgConfig(isShared) {
  const env = { ...process.env, PKG_CONFIG_PATH: `${prefix}/lib/pkgconfig` };
  const ask = isShared ? ['--cflags', '--libs', 'atm0s'] : ['--static', '--cflags', '--libs', 'atm0s'];
  let flags = (await run('pkg-config', ask, { env })).trim().split(/\s+/);
  if (!isShared) flags = flags.map((flag) => (flag === '-latm0s' ? '-l:libatm0s.a' : flag));
  const program = `${out}/example_${isShared ? 'shared' : 'static'}`;
  await run('g++', ['-std=c++20', here('example.cpp'), ...flags, '-o', program]);
  return exampleRuns(program, isShared);
}

// atm0s::gst, by CMake and by pkg-config.
async function gstExampleRuns(withPkgConfig) {
  let program = `${programs}/example_gst`;
  if (withPkgConfig) {
    const env = { ...process.env, PKG_CONFIG_PATH: `${prefix}/lib/pkgconfig` };
    const flags = (await run('pkg-config', ['--cflags', '--libs', 'atm0s-gst'], { env })).trim().split(/\s+/);
    program = `${out}/example_gst`;
    await run('g++', ['-std=c++20', here('example_gst.cpp'), ...flags, '-o', program]);
  }
  return exampleRuns(program, true);
}

// The plugin, where it is installed: GStreamer finds it and its libraries there.
async function pluginIsFound() {
  const folder = (await run('find', [prefix, '-name', 'libgstatm0s.so', '-printf', '%h'])).trim();
  const env = { ...process.env, GST_PLUGIN_PATH: folder, GST_REGISTRY: `${out}/registry.bin`, LD_LIBRARY_PATH: '' };
  const said = await run('gst-inspect-1.0', ['atm0s'], { env });
  check(said.includes('atm0ssink') && said.includes('atm0ssrc') && said.includes(version), said);
  return folder.slice(prefix.length + 1);
}

// GoogleTest's count, and what it said of those that failed.
async function passesItsTests() {
  await builtPrograms();
  const said = await run(`${programs}/handles_test`, ['--gtest_color=no'], { env: environment });
  return /\[ {2}PASSED {2}\] (\d+ tests)/.exec(said)[1];
}

async function cPasses() {
  await builtPrograms();
  const said = await run(`${programs}/session_c`, [], { env: environment, timeout: 120_000 });
  const passed = said.match(/^ok /gm)?.length ?? 0;
  check(!said.includes('FAILED') && passed > 30, said);
  return `${passed} expectations`;
}

// --- the examples -------------------------------------------------------------------------------------------------------

const examples = `${out}/examples`;

async function examplesBuild() {
  await run('cmake', ['-S', `${prefix}/share/doc/libatm0s-dev/examples`, '-B', examples, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release',
    '-DCMAKE_CXX_FLAGS_RELEASE=-O1', '-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wconversion -Werror', `-DCMAKE_PREFIX_PATH=${prefix}`]);
  await run('cmake', ['--build', examples]);
  await usesSharedLibrary(`${examples}/robot_camera`, true);
}

// Each of them, side by side; they count for themselves.
async function examplesRun(server) {
  const ran = await runTests(exampleTests({ examples, tool: `${prefix}/bin/atm0s`, server, out, env: environment }), only);
  counts.passed += ran.passed;
  counts.failed += ran.failed;
}

// --- the tool ---

const tool = (...args) => run(`${prefix}/bin/atm0s`, args, { env: environment, timeout: 60_000 });

// Each command once, as a user has it; and one that cannot work, which says why.
async function toolWorks() {
  const [token] = environment.ATM0S_TOKENS.split(' ');
  const join = ['--room', 'demo', '--peer', 'a', '--token', token];
  check(/^\d+\.\d+ ms$/m.test(await tool('ping', '--count', '2', ...join)), 'ping tells no time');
  const doctor = await tool('doctor', ...join);
  check(/ok {2,}media path +udp to 127\.0\.0\.1/.test(doctor) && !doctor.includes('FAIL'), doctor);
  const stats = JSON.parse(await tool('stats', '--for', '1', ...join));
  check(stats.transport.dtlsState === 'connected', JSON.stringify(stats));
  const refused = await tool('ping', '--url', 'http://127.0.0.1:1', ...join).catch((error) => error.message);
  check(refused.includes('connection refused by 127.0.0.1:1'), refused);
}

// --- Debian -------------------------------------------------------------------------------------------------------------

// As they are when they are installed, in a folder in place of /.
async function debianPackagesWork() {
  const root = `${out}/debian/root`;
  rmSync(root, { recursive: true, force: true });
  for (const name of readdirSync(`${out}/debian`).filter((file) => file.endsWith('.deb'))) {
    await run('dpkg-deb', ['-x', `${out}/debian/${name}`, root]);
  }
  const folder = (await run('gcc', ['-print-multiarch'])).trim();
  const libraries = `${root}/usr/lib/${folder}`;
  const wanted = [`libatm0s.so.${version}`, 'libatm0s.a', 'pkgconfig/atm0s.pc', 'cmake/atm0s/atm0sConfig.cmake',
    `libatm0s-gst.so.${version}`, 'pkgconfig/atm0s-gst.pc', 'cmake/atm0s/atm0sGstTargets.cmake'];
  for (const file of wanted) {
    check(existsSync(`${libraries}/${file}`), `no ${file} in usr/lib/${folder}`);
  }
  const astray = readdirSync(`${root}/usr/lib`).filter((name) => name !== folder);
  check(!astray.length, `in usr/lib: ${astray}`);
  const cmake = `${out}/debian/programs`;
  await run('cmake', ['-S', here('.'), '-B', cmake, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Debug', '-DCMAKE_CXX_FLAGS_DEBUG=-O0',
    `-DCMAKE_PREFIX_PATH=${root}/usr`]);
  await run('cmake', ['--build', cmake, '--target', 'example_static']);
  const env = { ...process.env, PKG_CONFIG_PATH: `${libraries}/pkgconfig` };
  const flags = (await run('pkg-config', ['--cflags', '--libs', 'atm0s'], { env })).trim().split(/\s+/);
  check(flags.some((flag) => flag.startsWith('-I') && existsSync(`${flag.slice(2)}/atm0s/session.h`)), flags.join(' '));
  await run('g++', ['-std=c++20', here('example.cpp'), ...flags, '-o', `${out}/debian/example`]);
  for (const program of [`${root}/usr/bin/atm0s`, `${libraries}/libatm0s-gst.so`]) {
    check(!/RPATH|RUNPATH/.test(await run('readelf', ['-d', program])), `${program} has a path in it`);
  }
}

async function makesDebianPackages() {
  await run('cpack', ['-G', 'DEB', '-B', `${out}/debian`], { cwd: build });
  const files = readdirSync(`${out}/debian`).filter((name) => name.endsWith('.deb'));
  const field = (name, which) => run('dpkg-deb', ['-f', `${out}/debian/${name}`, which]).then((text) => text.trim());
  const depends = {};
  for (const name of files) depends[await field(name, 'Package')] = await field(name, 'Depends');
  const packages = ['libatm0s0', 'libatm0s-dev', 'atm0s-server', 'libatm0s-gst0', 'libatm0s-gst-dev', 'gstreamer1.0-atm0s'];
  for (const name of packages) check(name in depends, `no package ${name}: ${files}`);
  check(/libc6 .*libssl3/.test(depends.libatm0s0), `libatm0s0 depends on ${depends.libatm0s0}`);
  check(/libatm0s0 \(= /.test(depends['libatm0s-dev']), `libatm0s-dev depends on ${depends['libatm0s-dev']}`);
  check(/libatm0s0 .*libvpx7/.test(depends.atm0s), `atm0s depends on ${depends.atm0s}`);
  check(/libatm0s0 \(>= .*libgstreamer1.0-0/.test(depends['libatm0s-gst0']), `libatm0s-gst0 depends on ${depends['libatm0s-gst0']}`);
  const library = files.find((name) => name.startsWith('libatm0s0_'));
  const control = await run('dpkg-deb', ['-I', `${out}/debian/${library}`, 'shlibs']);
  check(/^libatm0s 0 libatm0s0 \(>= /m.test(control), control);
  check(/^[^<]+ <[^@ ]+@[^@ ]+>$/.test(await field(library, 'Maintainer')), 'the maintainer is nobody');
  return files.join(' ');
}

// Of the build machine: that they are well formed, no more.
async function recipesAreWellFormed() {
  const folder = `${tree}sdk/cpp/packaging`;
  for (const name of ['vcpkg.json']) JSON.parse(readFileSync(`${folder}/vcpkg/${name}`, 'utf8'));
  await run('python3', ['-c', 'import ast, sys; ast.parse(open(sys.argv[1]).read())', `${folder}/conan/conanfile.py`]);
  check(JSON.parse(readFileSync(`${folder}/vcpkg/vcpkg.json`, 'utf8')).version === version, 'vcpkg.json has another version');
  check(readFileSync(`${folder}/conan/conanfile.py`, 'utf8').includes(`"${version}"`), 'conanfile.py has another version');
}

// ------------------------------------------------------------------------------------------------------------------------

await test('it installs', installs);
if (only.length) await installs();
await test('its soname has the major version', hasSoname);
await test('the shared library exports the API alone', () => exportsAlone('libatm0s.so', API, 50));
await test('libatm0s-gst exports the API alone', () => exportsAlone('libatm0s-gst.so', GST_API, 20));
await test('the static library has nothing more', archiveHasNoMore);
for (const name of ['atm0s', 'atm0s-gst']) {
  await test(`what lib${name} exports is what sdk/cpp/abi lists`, () => keepsTheAbi(name));
}
await test('a list of symbols that loses some is refused', refusesAnAbiThatLoses);
await test('headers include standard ones alone', includesStandardAlone);
for (const compiler of ['g++', 'clang++-19']) {
  await test(`headers compile alone with ${compiler}`, () => headersCompileAlone(compiler, 'cpp', ['-std=c++20'], headers()));
}
for (const compiler of ['gcc', 'clang-19']) {
  await test(`atm0s.h is C11 for ${compiler}`, () => headersCompileAlone(compiler, 'c', ['-std=c11', '-Wpedantic'], ['atm0s.h']));
}
await test('the code of docs/cpp-sdk.md compiles', guideCompiles);
await test('so does that in C', guideOfCCompiles);
await test('the reference of the headers has no warning', referenceIsWhole);
await test('a header with something that nobody describes is refused', referenceWantsAll);
const server = await startServerForAll();
try {
  await test('a project outside of the tree builds with CMake', builtPrograms);
  await test('it runs, with the shared library', () => exampleRuns(`${programs}/example`, true));
  await test('it runs, with the static library', () => exampleRuns(`${programs}/example_static`, false));
  await test('with pkg-config it builds and runs, shared', () => buildsWithPkgConfig(true));
  await test('with pkg-config it builds and runs, static', () => buildsWithPkgConfig(false));
  await test('with atm0s::gst it builds with CMake, and runs', async () => {
    await builtPrograms();
    return gstExampleRuns(false);
  });
  await test('with atm0s::gst it builds with pkg-config, and runs', () => gstExampleRuns(true));
  await test('a program in C publishes, views and hears', cPasses);
  await test('publishers and coroutines do as told', passesItsTests);
  await test('the tool atm0s does what its help says', toolWorks);
  await test('the examples build outside of the tree', examplesBuild);
  await examplesRun(server);
} finally {
  await server.stop();
}
await test('GStreamer finds the plugin', pluginIsFound);
await test('Debian packages are made', makesDebianPackages);
await test('what they install is found by CMake and pkg-config', debianPackagesWork);
await test('recipes for vcpkg and Conan are well formed', recipesAreWellFormed);
console.log(JSON.stringify({ suite: 'package', ...counts, skipped: 0 }));
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);
