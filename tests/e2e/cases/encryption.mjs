// Streams that are encrypted end to end (encoded transforms in the pages): the server forwards what it cannot read.
import { assert, test } from '../harness/test.mjs';

const GREEN = (codec) => `{senders: [{name: 'tone', kind: 'audio', stream: lab.tone(880)},
  {name: 'green', kind: 'video', stream: lab.painted('green'), preferredCodecs: ['${codec}']}]}`;
const VIEWER = '{receivers: {audio: 1, video: 1}}';

const KEY = 77, OTHER_KEY = 78;
const withKey = (key, codec, browser = 'chromium') => ({ browser, before: `lab.encryptAll(${key}, ${codec === 'VP8'})` });

async function seesGreen(viewer, codec) {
  const ids = [await viewer.view('alice', 'tone'), await viewer.view('alice', 'green')];
  await viewer.flows(...ids);
  await viewer.lab('waitColour', 'alice/green', 'green');
  await viewer.lab('waitPitch', 'alice/tone', 880);
  assert.equal((await viewer.lab('inbound', 'alice/green')).codec, 'video/' + codec);
}

// Of VP9 and Opus every byte behind the payload descriptor is covered. Of VP8 the browsers themselves read the first
// bytes of a frame, so these stay in the clear, as applications do it.
for (const codec of ['VP8', 'VP9']) {
  test(`${codec} encrypted end to end is forwarded and decoded, also for one who comes late`, { core: codec === 'VP9' }, async (env) => {
    const [, bob] = await Promise.all([env.join('alice', GREEN(codec), withKey(KEY, codec)),
      env.join('bob', VIEWER, withKey(KEY, codec))]);
    await seesGreen(bob, codec);
    const carol = await env.join('carol', VIEWER, withKey(KEY, codec));
    await seesGreen(carol, codec);
    await bob.lab('unview', 'alice/green');
    await bob.stops('alice/green');
    await bob.lab('viewAgain', 'alice/green');
    await bob.flows('alice/green');
  });
}

test('who has another key gets the packets, but no picture', {}, async (env) => {
  await env.join('alice', GREEN('VP9'), withKey(KEY, 'VP9'));
  const bob = await env.join('bob', VIEWER, withKey(KEY, 'VP9'));
  const eve = await env.join('eve', VIEWER, withKey(OTHER_KEY, 'VP9'));
  await eve.view('alice', 'green');
  await seesGreen(bob, 'VP9');
  await eve.lab('run', "return lab.until('packets', async () => (await lab.inbound('alice/green'))?.packetsReceived > 50)");
  assert.equal((await eve.lab('inbound', 'alice/green')).framesDecoded, 0);
});

test('encrypted between Firefox and Chromium', {}, async (env) => {
  await env.join('alice', GREEN('VP8'), withKey(KEY, 'VP8', 'firefox'));
  await seesGreen(await env.join('bob', VIEWER, withKey(KEY, 'VP8')), 'VP8');
  await seesGreen(await env.join('fox', VIEWER, withKey(KEY, 'VP8', 'firefox')), 'VP8');
});
