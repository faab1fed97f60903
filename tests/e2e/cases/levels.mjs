// How loud streams are, as Chromium's packets say it and as the npm SDK passes it on.
import { assert, test, until } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const BOTH = '{senders: [A()], receivers: {audio: 1, video: 1}}';
const OWN = 'remote_stream_audio_main_audio_level', HEARD = 'local_stream_audio_0_audio_level';

// [level, …] that a page was told.
const levels = (peer, event) => peer.page.evaluate((event) => lab.messages
  .filter((message) => message.event === event).map((message) => message.data.level), event);

test('publisher and viewer are told how loud a stream is, five times a second at most', { core: true }, async (env) => {
  const bob = await env.join('bob', BOTH), alice = await env.join('alice', BOTH);
  await seesAndHears(bob, alice, ['audio_main']);
  const before = [(await levels(alice, OWN)).length, (await levels(bob, HEARD)).length];
  const started = Date.now();
  await bob.page.waitForTimeout(4000); // Chromium's fake device beeps
  const seconds = (Date.now() - started) / 1000;
  for (const [i, [peer, event]] of [[alice, OWN], [bob, HEARD]].entries()) {
    const told = (await levels(peer, event)).slice(before[i]);
    assert.ok(told.length > 4 && told.length <= 5 * seconds + 1, `${event}: ${told.length} in ${seconds} s`);
    assert.ok(told.every((level) => Number.isInteger(level) && level >= -127 && level <= 0), told.join());
    assert.ok(told.some((level) => level > -60), `the beep: ${told.join()}`);
    // Levels fall by 100 dB a second, and it beeps twice.
    assert.ok(Math.max(...told) - Math.min(...told) > 20, `and between beeps: ${told.join()}`);
  }
  await alice.lab('run', "session.getSender('audio', 'audio_main').switch(null)");
  await until('silence is told', async () => (await levels(bob, HEARD)).at(-1) === -127 && (await levels(alice, OWN)).at(-1) === -127);
});
