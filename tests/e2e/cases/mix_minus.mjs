// Mix-minus: talkers with tones of their own, in turns; who is heard is told by the spectrum of what comes out.
import { assert, test, until } from '../harness/test.mjs';

const TONES = { ann: 440, bob: 760, cat: 1080, dan: 1400, eve: 1720 };
const NAMES = Object.keys(TONES);
const HERTZ = Object.values(TONES);
const LOUD = -20;
const STEADY_MS = 600; // what is heard, stays
const RECOVER_S = 2;   // but for a browser on a busy machine, whose own output may stop for some hundred milliseconds

const config = (name, mode) =>
  `{senders: [{name: 'audio_main', kind: 'audio', stream: lab.voice(${TONES[name]})}], receivers: {audio: 0, video: 0}` +
  (mode ? `, mixMinusAudio: {mode: '${mode}'}}` : '}');

const joinAll = (env, mode) => Promise.all(NAMES.map((name) => env.join(name, config(name, mode))));

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Everybody who listens hears these talkers, but for itself, in the slots that it is told of.
async function allHear(listeners, talkers) {
  await Promise.all(listeners.map(async (peer) => {
    const expected = talkers.filter((name) => name !== peer.name).map((name) => TONES[name]);
    await peer.lab('waitHears', expected, HERTZ);
    await pause(STEADY_MS);
    const slots = await peer.lab('waitHears', expected, HERTZ, RECOVER_S);
    const { active } = (await peer.lab('mixState', 'default')) ?? { active: [null, null, null] };
    slots.forEach((tone, i) => {
      if (tone === null) return; // free, or held by one who has stopped
      assert.equal(TONES[active[i]?.[0].replace('-audio_main', '')], tone, `slot ${i} of ${peer.name}`);
    });
  }));
}

test('the three loudest of five talkers in turns are heard by all others', { core: true, seconds: 90 }, async (env) => {
  const peers = await joinAll(env, 'AllAudioStreams');
  const peer = Object.fromEntries(peers.map((one) => [one.name, one]));
  const turns = [
    { begins: 'ann', talkers: ['ann'] },
    { begins: 'bob', ends: 'ann', talkers: ['bob'] },
    { begins: 'cat', talkers: ['bob', 'cat'] },
    { begins: 'dan', talkers: ['bob', 'cat', 'dan'] },
    { begins: 'eve', ends: 'bob', talkers: ['cat', 'dan', 'eve'] },
    { begins: 'ann', ends: 'cat', talkers: ['dan', 'eve', 'ann'] },
  ];
  const delays = [];
  for (const { begins, ends, talkers } of turns) {
    if (ends) await peer[ends].lab('speak', null);
    await pause(500);
    const witness = peers.find((one) => !talkers.includes(one.name));
    const heard = witness.page.evaluate(async ([tone, tones]) => {
      await lab.until('it is heard', () => lab.slotTones(tones).includes(tone));
      return Date.now();
    }, [TONES[begins], HERTZ]);
    const began = Date.now();
    await peer[begins].lab('speak', LOUD);
    delays.push((await heard) - began);
    await allHear(peers, talkers);
  }
  for (const one of peers) await one.lab('speak', null);
  await allHear(peers, []);
  await Promise.all(peers.map((one) => until('its slots are free', async () =>
    (await one.lab('mixState', 'default')).active.every((slot) => slot === null))));
  console.log(`# heard after ${delays.join(', ')} ms`);
  assert.ok(Math.max(...delays) < 1500, `heard after ${delays} ms`);
});

test('of four talkers the quietest is not heard, and a burst takes nobody\'s slot', { seconds: 60 }, async (env) => {
  const peers = await joinAll(env, 'AllAudioStreams');
  const [ann, bob, cat, dan, eve] = peers;
  await ann.lab('speak', -40);
  await allHear([eve], ['ann']);
  await bob.lab('speak', LOUD);
  await cat.lab('speak', LOUD);
  await allHear([eve], ['ann', 'bob', 'cat']);
  for (let i = 0; i < 3; ++i) {
    await dan.page.evaluate(() => {
      const at = lab.sound().currentTime + 0.1;
      lab.gain.gain.setValueAtTime(0.5, at);
      lab.gain.gain.setValueAtTime(0, at + 0.15);
    });
    const end = Date.now() + 800;
    while (Date.now() < end) {
      assert.ok(!(await eve.lab('slotTones', HERTZ)).includes(TONES.dan), 'the burst is not heard');
    }
  }
  await allHear([eve], ['ann', 'bob', 'cat']);
  await dan.lab('speak', LOUD);
  await allHear([eve], ['bob', 'cat', 'dan']);
  await allHear([dan], ['ann', 'bob', 'cat']);
});

test('a manual mixer hears whom it was given', { core: true, seconds: 60 }, async (env) => {
  const talkers = await Promise.all(NAMES.slice(0, 4).map((name) => env.join(name, config(name))));
  const eve = await env.join('eve', config('eve', 'ManualAudioStreams'));
  for (const talker of talkers) await talker.lab('speak', LOUD);
  await eve.lab('speak', LOUD);
  const change = (what, name) => eve.page.evaluate(([method, peer]) =>
    lab.until(`${peer} is there`, () => lab.remotes.get(peer + '/audio_main'))
      .then((remote) => lab.session.getMixMinusAudio()[method](remote)), [what, name]);
  await allHear([eve], []);
  await change('addSource', 'ann');
  await allHear([eve], ['ann']);
  await change('addSource', 'eve');
  await change('addSource', 'dan');
  await allHear([eve], ['ann', 'dan']);
  await change('removeSource', 'ann');
  await allHear([eve], ['dan']);
  const off = await eve.lab('request', 'mix_minus.toggle', { id: 'default', enable: false });
  assert.equal(off.success, true);
  await allHear([eve], []);
  await eve.lab('request', 'mix_minus.toggle', { id: 'default', enable: true });
  await allHear([eve], ['dan']);
  const state = await eve.page.evaluate(() => lab.session.getMixMinusAudio().state);
  assert.deepEqual(Object.keys(state.sources), ['dan-audio_main']);
});
