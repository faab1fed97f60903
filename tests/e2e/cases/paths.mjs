// Networks that go away and come back, and addresses that change, under two pages on hosts of their own: how long it takes
// until they hear and see each other again, by themselves. Each prints its figures.
import { openFarCall, watchChecks } from '../harness/far_call.mjs';
import { block } from '../harness/guide.mjs';
import { pause } from '../harness/raw_peer.mjs';
import { assert, test, until } from '../harness/test.mjs';

const OUTAGE_MS = 20_000; // a session is resumed after that
const BACK_MS = 10_000;
const SETTLE_MS = 5000; // after the first check on a new path, until it is looked at what came
const AUDIO_BACK_MS = 1000; // from that check on
const VIDEO_BACK_MS = 1500; // for a key frame is asked for at once, and libwebrtc alone would do so after 3 s
const OTHER_ADDRESS = '10.213.1.9'; // of the first host

const seconds = (ms) => (ms / 1000).toFixed(2) + ' s';
const figure = (text) => console.log('    ' + text);

// The npm SDK leaves it to its page to do something about a lost network; what the guide has for that.
async function doWhatTheGuideSays(peer) {
  await peer.lab('run', await block('web-app.md', 'js', 'session.restartIce'));
}

const asked = (peer, path) => peer.requests.filter((request) => request.path === path).length;

for (const sdk of ['npm', 'own']) {
  test(`after 20 s without network a call goes on, with the ${sdk} SDK`, { sdk, seconds: 60 }, async (env) => {
    const { ann, ways, host } = await openFarCall(env);
    if (sdk === 'npm') {
      await doWhatTheGuideSays(ann);
      // Its request is stuck in a connection which the server closes when it has been idle for 30 s (docs/limits.md).
      await pause(3000);
    }
    const cut = Date.now();
    host.cut();
    await pause(OUTAGE_MS);
    for (const { peer, id, name } of ways) {
      const [from, to] = await peer.lab('longestGap', id, cut);
      assert.ok(to - from > OUTAGE_MS - 1500, `${name} while there is no network`);
    }
    const back = Date.now();
    host.mend();
    const took = await Promise.all(ways.map(async ({ peer, id }) => (await peer.lab('firstArrival', id, back, 20)) - back));
    figure(`after the network is back: ${ways.map(({ name }, i) => `${name} in ${seconds(took[i])}`).join(', ')}`);
    for (const [i, { name }] of ways.entries()) assert.ok(took[i] <= BACK_MS, `${name} after ${seconds(took[i])}`);
    await Promise.all(ways.map(({ peer, id }) => peer.flows(id)));
    await ann.lab('waitEvent', 'reconnected');
    assert.equal(asked(ann, '/webrtc/connect'), 1, 'it is the same session');
  });
}

// From the first check that comes from the new path until all hear and see again.
async function expectBack({ ways }, checks, { since, isNew, what }) {
  const fresh = () => checks.filter(({ at }) => at >= since);
  const first = await until('a check from the new path', () => fresh().find(isNew), 15).catch((error) => {
    throw new Error(`${error.message}; there came ${JSON.stringify(fresh())}`);
  });
  await pause(SETTLE_MS);
  const took = await Promise.all(ways.map(async ({ peer, id }) => (await peer.lab('longestGap', id, since))[1] - first.at));
  figure(`${what}: first check after ${seconds(first.at - since)}; from then on ` +
    ways.map(({ name }, i) => `${name} in ${seconds(took[i])}`).join(', '));
  for (const [i, { kind, name }] of ways.entries()) {
    assert.ok(took[i] <= (kind === 'audio' ? AUDIO_BACK_MS : VIDEO_BACK_MS), `${name} ${seconds(took[i])} after the first check`);
  }
  await Promise.all(ways.map(({ peer, id }) => peer.flows(id)));
}

// The client does not notice that, and nothing asks it to do something: its next check is all that the server gets.
test('a NAT binds anew: heard within a second of the first check', { seconds: 60 }, async (env) => {
  const { hosts: [host] } = await env.openFarWorld();
  host.translate(host.own, '10000-10999');
  const call = await openFarCall(env);
  const checks = await watchChecks(env, host);
  const isFrom = (address, first) => (check) => check.address === address && check.port >= first && check.port < first + 1000;
  await until('a check through the NAT', () => checks.some(isFrom(host.own, 10000)));
  let since = Date.now();
  host.translate(host.own, '11000-11999');
  await expectBack(call, checks, { since, isNew: isFrom(host.own, 11000), what: 'from another port' });
  since = Date.now();
  host.translate(OTHER_ADDRESS, '12000-12999');
  await expectBack(call, checks, { since, isNew: isFrom(OTHER_ADDRESS, 12000), what: 'from another address' });
  assert.equal(asked(call.ann, '/webrtc/ice_restart'), 0);
});

for (const sdk of ['npm', 'own']) {
  test(`a client's address changes: heard within a second of the first check, with the ${sdk} SDK`, { sdk, seconds: 60 },
    async (env) => {
      const call = await openFarCall(env);
      if (sdk === 'npm') await doWhatTheGuideSays(call.ann);
      const checks = await watchChecks(env, call.host);
      const since = Date.now();
      call.host.moveTo(OTHER_ADDRESS);
      await expectBack(call, checks, { since, isNew: ({ address }) => address === OTHER_ADDRESS, what: 'from the new address' });
      assert.equal(asked(call.ann, '/webrtc/connect'), 1, 'it is the same session');
    });
}
