// What a viewer does with its receivers: view, unview, share, switch.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';
const COLOURS = ['red', 'green', 'blue'];
const TONES = [440, 880, 1320];

// One sender of a name and colour (or tone) for each.
const painters = COLOURS.map((c) => `{name: '${c}', kind: 'video', stream: lab.painted('${c}')}`).join(', ');
const singers = TONES.map((t) => `{name: 'tone${t}', kind: 'audio', stream: lab.tone(${t})}`).join(', ');

test('unview ends the media, view starts it again', { core: true }, async (env) => {
  const alice = await env.join('alice', BOTH);
  const bob = await env.join('bob', '{receivers: {audio: 1, video: 1}}');
  for (const id of await seesAndHears(bob, alice)) {
    await bob.lab('unview', id);
    await bob.stops(id);
    await bob.lab('viewAgain', id);
    await bob.flows(id);
  }
});

test('several viewers of one page share a receiver until the last one goes', {}, async (env) => {
  const alice = await env.join('alice', BOTH);
  const bob = await env.join('bob', '{receivers: {audio: 1, video: 1}}');
  const id = await bob.view(alice, 'video_main');
  await bob.lab('run', `lab.views.get('${id}').consumer.view('second')`);
  await bob.flows(id);
  await bob.lab('unview', id);
  await bob.flows(id);
  await bob.lab('run', `lab.views.get('${id}').consumer.unview('second')`);
  await bob.stops(id);
});

test('three video senders, one receiver allocated at the connect', { core: true }, async (env) => {
  await env.join('alice', `{senders: [${painters}]}`);
  const bob = await env.join('bob', '{receivers: {audio: 0, video: 1}}');
  for (const colour of COLOURS) {
    const id = await bob.view('alice', colour);
    await bob.flows(id);
    await bob.lab('waitColour', id, colour);
    await bob.lab('unview', id);
  }
});

test('three video senders at once, the other two receivers allocated late', {}, async (env) => {
  await env.join('alice', `{senders: [${painters}]}`);
  const bob = await env.join('bob', '{receivers: {audio: 0, video: 1}}');
  for (const colour of COLOURS) await bob.view('alice', colour);
  for (const colour of COLOURS) {
    await bob.flows('alice/' + colour);
    await bob.lab('waitColour', 'alice/' + colour, colour);
  }
});

test('three audio senders, one receiver allocated at the connect', {}, async (env) => {
  await env.join('alice', `{senders: [${singers}]}`);
  const bob = await env.join('bob', '{receivers: {audio: 1, video: 0}}');
  for (const tone of TONES) {
    const id = await bob.view('alice', 'tone' + tone);
    await bob.flows(id);
    await bob.lab('waitPitch', id, tone);
    await bob.lab('unview', id);
  }
});

test('a receiver is switched ten times and stays one continuous stream', { core: true }, async (env) => {
  await env.join('alice', `{senders: [${painters}]}`);
  const bob = await env.join('bob', '{receivers: {audio: 0, video: 1}}');
  assert.equal(await bob.lab('takeReceiver', 'video', 'v'), 'video_0');
  let ssrc = null;
  for (let i = 0; i < 10; ++i) {
    const colour = COLOURS[i % 3];
    assert.equal(await bob.lab('switchReceiver', 'v', 'alice', colour), true);
    await bob.lab('waitColour', 'v', colour);
    const report = await bob.lab('inbound', 'v');
    ssrc ??= report.ssrc;
    assert.equal(report.ssrc, ssrc, 'one SSRC over all switches');
  }
  const report = await bob.lab('inbound', 'v');
  assert.equal(report.packetsLost, 0, 'sequence numbers have no gap');
});

test('an audio receiver is switched ten times and stays one continuous stream', {}, async (env) => {
  await env.join('alice', `{senders: [${singers}]}`);
  const bob = await env.join('bob', '{receivers: {audio: 1, video: 0}}');
  await bob.lab('takeReceiver', 'audio', 'a');
  for (let i = 0; i < 10; ++i) {
    assert.equal(await bob.lab('switchReceiver', 'a', 'alice', 'tone' + TONES[i % 3]), true);
    await bob.lab('waitPitch', 'a', TONES[i % 3]);
  }
  assert.equal((await bob.lab('inbound', 'a')).packetsLost, 0);
});

test('switches that overtake each other end at the last', {}, async (env) => {
  await env.join('alice', `{senders: [${painters}]}`);
  const bob = await env.join('bob', '{receivers: {audio: 0, video: 1}}');
  await bob.lab('takeReceiver', 'video', 'v');
  await bob.lab('waitRemotePlain', 'alice', 'blue');
  for (let round = 0; round < 2; ++round) {
    await bob.lab('run', `const r = lab.views.get('v').receiver;
      await Promise.all(['red', 'green', 'red', 'green', 'blue'].map((c) => r.switch(lab.remotes.get('alice/' + c))));`);
    await bob.flows('v');
    await bob.lab('waitColour', 'v', 'blue');
  }
});

test('a viewer sees the states of its receiver', {}, async (env) => {
  const alice = await env.join('alice', BOTH);
  const bob = await env.join('bob', '{receivers: {audio: 1, video: 1}}');
  await bob.view(alice, 'video_main');
  await bob.lab('waitMessage', 'local_stream_video_0_state');
  const live = () => bob.page.evaluate(() => lab.messages.some((message) =>
    message.event === 'local_stream_video_0_state' && message.data.state === 'live'));
  await bob.flows('alice/video_main');
  assert.ok(await live());
});
