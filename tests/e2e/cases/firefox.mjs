// Firefox and Chromium in one room, each with the unmodified SDK.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';
const FIREFOX = { browser: 'firefox' };

test('Firefox and Chromium see and hear each other', { core: true }, async (env) => {
  const [fox, alice] = await Promise.all([env.join('fox', BOTH, FIREFOX), env.join('alice', BOTH)]);
  await Promise.all([seesAndHears(fox, alice), seesAndHears(alice, fox)]);
});
