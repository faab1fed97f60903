// The tests of the own SDK's properties (page/property_tests.js) under switches: with each of them the SDK takes no
// notice of one property, or of one value (sdk/js/src/ignored.ts), and exactly the tests of that may fail, and have to.
// Called by run.mjs; a page runs many tests at a time, and the switch is set in it.
import { readFile } from 'node:fs/promises';
import { repository } from './paths.mjs';
import { SECRET, makeToken, nowSeconds } from './tokens.mjs';

const PAGES = 3; // side by side, each at a switch of its own
const AT_ONCE = { page: 6, matrix: 8 }; // tests in a page
// Milliseconds for a fact that is waited for. What fails before it passes without the switch, in the same run of tests.
const PATIENCE = { toPass: 15_000, toFail: 2_500 };

// Switches that there are no tests of, and why.
export const LEFT_OUT = {
  'preferredCodecs=OPUS': 'the only audio codec that there is',
  logLevel: 'of the console', reconnect: 'a server has to go for it: own_sdk_ending',
};

// A page with the SDK and all tests. `sdk`: 'own_sdk.js', or 'ignoring_sdk.js', which knows switches.
export async function openProperties(world, sdk, context) {
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(world.pages.url + '/properties');
  await page.addScriptTag({ url: '/' + sdk });
  const tests = await page.evaluate((given) => {
    properties.given = given;
    return [...properties.tests].map(([name, { turns }]) => ({ name, turns }));
  }, {
    url: world.server.url, secret: SECRET, anyToken: makeToken({}), elsewhereToken: makeToken({ room: 'elsewhere' }),
    endingToken: makeToken({ exp: nowSeconds() + 25 }),
  });
  if (!tests.length) throw new Error('no tests: ' + problems.join());
  const run = (names, ignored, atOnce = AT_ONCE.page) => page.evaluate(
    (options) => properties.run(options), { names, ignored, patience: PATIENCE, atOnce });
  return { page, tests, run };
}

// What a configuration has, as it is declared in the SDK: properties, and `property=value` of those with a choice.
export async function declaredSwitches() {
  const read = (name) => readFile(new URL('sdk/js/src/' + name, repository), 'utf8');
  const [config, sender, receiver, choices] = await Promise.all(
    ['config.ts', 'sender.ts', 'receiver.ts', 'choices.ts'].map(read));
  const fieldsOf = (source, name) => {
    const body = new RegExp(`export interface ${name} \\{\\n([^]*?)\\n\\}`).exec(source)[1];
    return [...body.matchAll(/^ {2,4}(\w+)\??: ([^;{]*)/gm)].map(([, field, type]) => [field, type.trim()]);
  };
  const fields = [...fieldsOf(config, 'ISessionConfig'), ...fieldsOf(sender, 'SenderConfig'),
    ...fieldsOf(receiver, 'StreamLimit').map(([field, type]) => ['limit.' + field, type])];
  return fields.flatMap(([field, type]) => {
    const choice = new RegExp(`export const ${type.replace('[]', '')} = \\{([^]*?)\\} as const`).exec(choices)?.[1] ?? '';
    return [field, ...[...choice.matchAll(/: '([^']+)'/g)].map(([, value]) => `${field}=${value}`)];
  });
}

// One switch: what is wrong with it, or nothing. `isWhole`: all tests are run, else its own and the smoke set.
async function tryOut(one, properties, isWhole) {
  const own = properties.tests.filter(({ turns }) => turns.includes(one)).map(({ name }) => name);
  const others = properties.tests.map(({ name }) => name).filter((name) => !own.includes(name));
  const run = isWhole ? [...own, ...others] : [...own, ...others.filter((name) => name.startsWith('smoke'))];
  const started = Date.now();
  const failures = await properties.run(run, [one], isWhole ? AT_ONCE.matrix : AT_ONCE.page);
  const red = run.filter((name) => failures[name] !== null);
  const problems = [
    ...(own.length ? [] : ['no test is made for it']),
    ...own.filter((name) => !red.includes(name)).map((name) => `${name}: passes`),
    ...red.filter((name) => !own.includes(name)).map((name) => `${name}: fails, too: ${failures[name]}`),
  ];
  return { one, own, ran: run.length, problems, failures, seconds: (Date.now() - started) / 1000 };
}

// Gives {passed, failed}, of switches.
export async function runMatrix(world, { isWhole, names }) {
  const context = await world.browser.newContext();
  const first = await openProperties(world, 'ignoring_sdk.js', context);
  const all = [...new Set(first.tests.flatMap(({ turns }) => turns))];
  const waiting = all.filter((one) => names.length === 0 || names.some((name) => one.includes(name)));
  const counts = { passed: 0, failed: 0 };
  const work = async (properties) => {
    for (let one; (one = waiting.shift()); ) {
      // A page has room for some hundred connections, also of those that are closed until they are collected.
      if (isWhole) {
        await properties.page.close();
        properties = await openProperties(world, 'ignoring_sdk.js', context);
      }
      const { own, ran, problems, failures, seconds } = await tryOut(one, properties, isWhole);
      problems.length ? ++counts.failed : ++counts.passed;
      const why = process.argv.includes('--why') ? own.map((name) => `\n      ${name}: ${failures[name]?.split('\n')[0]}`).join('') : '';
      console.log(`${problems.length ? 'FAILED' : 'ok    '} without ${one}: of ${ran} tests ${own.length} fail (${seconds.toFixed(1)} s)${why}`);
      problems.forEach((problem) => console.log('    ' + problem.split('\n').slice(0, 6).join('\n    ')));
    }
  };
  const pages = isWhole ? 1 : PAGES;
  const more = await Promise.all(
    Array.from({ length: pages - 1 }, () => openProperties(world, 'ignoring_sdk.js', context)));
  await Promise.all([first, ...more].map(work));
  await context.close();
  return counts;
}
