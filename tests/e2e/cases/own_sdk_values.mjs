// Each property of a configuration has its effect with our own SDK, and each value of those that are chosen from a list:
// the tests of page/property_tests.js, many at a time. That each of them fails without what it tests is shown by
// run.mjs --ignoring.
import { LEFT_OUT, declaredSwitches, openProperties } from '../harness/matrix.mjs';
import { assert, test } from '../harness/test.mjs';

const OWN = { sdk: 'own' };

async function open(env) {
  const context = await env.world.browser.newContext();
  env.contexts.push(context);
  return openProperties(env.world, 'own_sdk.js', context);
}

test('each property and each value has its effect', { ...OWN, seconds: 90 }, async (env) => {
  const properties = await open(env);
  const failures = await properties.run(properties.tests.map(({ name }) => name), []);
  const failed = Object.entries(failures).filter(([, why]) => why !== null);
  assert.deepEqual(failed.map(([name, why]) => `${name}: ${why}`), []);
});

test('each property and each value has a test', OWN, async (env) => {
  const { tests } = await open(env);
  const tested = new Set(tests.flatMap(({ turns }) => turns));
  const declared = await declaredSwitches();
  assert.ok(declared.length > 50 && declared.includes('latencyMode=smooth-200'), declared.join());
  for (const one of declared) assert.ok(tested.has(one) !== one in LEFT_OUT, `${one}: a test, or a reason why not`);
  for (const one of tested) assert.ok(declared.includes(one), `there is no ${one}`);
});
