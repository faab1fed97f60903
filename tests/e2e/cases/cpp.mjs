// The native SDK (sdk/cpp) in calls with Chromium, each codec once each way: tests/sdk/peer.cpp publishes a clip as it
// is and writes down what it views. --long measures for a minute.
import { assert, test } from '../harness/test.mjs';
import { FPS, decodes, likeness, makeClip, makePicture, makeTone, outFile, shareOfTone, similarity, suffixOf } from '../harness/clips.mjs';
import { CppPeer } from '../harness/cpp_peer.mjs';

const VIEWER = '{receivers: {audio: 1, video: 1}}';
const VIDEO = ['VP8', 'VP9', 'H264', 'AV1'];
const secondsOf = (env) => (env.isLong ? 60 : 15);
const HERTZ = 1000;
const PICTURE = { width: 640, height: 360 };

for (const codec of VIDEO) {
  test(`${codec} from C++, to Chromium and to C++`, { seconds: 150, core: codec === 'VP8' }, async (env) => {
    const clip = await makeClip(codec, secondsOf(env));
    const frames = await decodes(clip);
    const recording = await outFile(`cpp-to-cpp.${suffixOf(codec)}`);
    const [robot, recorder, bob] = await Promise.all([
      CppPeer.join(env, 'robot', { publish: [['video_main', codec, clip, FPS]] }),
      CppPeer.join(env, 'recorder', { view: [['robot', 'video_main', codec, recording]] }),
      env.join('bob', VIEWER),
    ]);
    const id = await bob.view('robot', 'video_main');
    // The clip has a first frame once: everybody has to be there.
    await bob.lab('waitMessage', 'local_stream_video_0_state', { state: 'connecting' });
    await new Promise((resolve) => setTimeout(resolve, 500));
    robot.go();
    const { frames: sent } = await robot.says('published', () => true, secondsOf(env) + 15);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const report = await bob.lab('inbound', id);
    const { video_main: seen } = await recorder.stop();
    console.log(`    ${codec}: ${sent} sent, Chromium ${report.framesReceived} received ${report.framesDecoded} decoded, C++ ${seen.frames}`);
    assert.equal(sent, frames);
    assert.equal(report.codec, 'video/' + codec);
    assert.equal(report.framesReceived, frames, 'Chromium has them all');
    assert.ok(report.framesDecoded >= frames * 0.98, `Chromium decoded ${report.framesDecoded}`);
    assert.deepEqual([seen.frames, seen.gaps, seen.others], [frames, 0, 0], 'C++ has them all');
    assert.equal(await decodes(recording), frames);
    assert.equal(await similarity(recording, clip), 1);
  });

  test(`${codec} from Chromium, to C++`, { seconds: 150, core: codec === 'VP8' }, async (env) => {
    const picture = await makePicture(PICTURE.width, PICTURE.height);
    const recording = await outFile(`chromium-to-cpp.${suffixOf(codec)}`);
    const recorder = await CppPeer.join(env, 'recorder', { view: [['alice', 'video_main', codec, recording]] });
    const alice = await env.open('alice');
    await alice.page.evaluate(async ([url, size]) => {
      lab.shown = new Image();
      lab.shown.src = url;
      await lab.shown.decode();
      lab.video = lab.showing(lab.shown, size);
    }, [picture.url, PICTURE]);
    await alice.connect(`{senders: [{name: 'video_main', kind: 'video', stream: lab.video, preferredCodecs: ['${codec}']}]}`);
    await recorder.says('viewed', () => true, 20);
    await new Promise((resolve) => setTimeout(resolve, secondsOf(env) * 1000));
    const sent = await alice.lab('run', `const reports = await Promise.all(lab.connections.map((one) => one.getStats()));
      return reports.flatMap((one) => [...one.values()]).filter((one) => one.type === 'outbound-rtp' && one.kind === 'video')
        .reduce((most, one) => Math.max(most, one.framesEncoded), 0);`);
    const { video_main: seen } = await recorder.stop();
    const like = await likeness(recording, picture.file, PICTURE.width, PICTURE.height);
    console.log(`    ${codec}: Chromium encoded ${sent}, C++ ${seen.frames} (${seen.keys} key frames), SSIM ${like}`);
    assert.equal(seen.others, 0, 'all are of the codec');
    assert.equal(seen.gaps, 0);
    assert.ok(seen.frames >= sent - FPS, `${seen.frames} of ${sent}`);
    assert.ok(seen.frames > secondsOf(env) * FPS * 0.6, `${seen.frames} in ${secondsOf(env)} s`);
    assert.equal(await decodes(recording), seen.frames);
    assert.ok(like > 0.85, `SSIM ${like}`);
  });
}

test('Opus from C++, to Chromium and to C++', { seconds: 120 }, async (env) => {
  const tone = await makeTone(HERTZ, secondsOf(env));
  const recording = await outFile('cpp-to-cpp.ogg');
  const [robot, recorder, bob] = await Promise.all([
    CppPeer.join(env, 'robot', { publish: [['audio_main', 'OPUS', tone, 50]] }),
    CppPeer.join(env, 'recorder', { view: [['robot', 'audio_main', 'OPUS', recording]] }),
    env.join('bob', VIEWER),
  ]);
  const id = await bob.view('robot', 'audio_main');
  await bob.lab('waitMessage', 'local_stream_audio_0_state', { state: 'connecting' });
  robot.go();
  await bob.lab('waitPitch', id, HERTZ);
  const { frames: sent } = await robot.says('published', () => true, secondsOf(env) + 15);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const report = await bob.lab('inbound', id);
  const { audio_main: heard } = await recorder.stop();
  const { share, seconds } = await shareOfTone(recording, HERTZ);
  console.log(`    Opus: ${sent} sent, Chromium ${report.packetsReceived} received, C++ ${heard.frames}, ${(share * 100).toFixed(1)} % of it at ${HERTZ} Hz`);
  assert.equal(report.packetsLost, 0);
  assert.ok(heard.frames >= sent - 5, `${heard.frames} of ${sent}`);
  assert.ok(seconds > secondsOf(env) - 2, `${seconds} s`);
  assert.ok(share > 0.9, `share ${share}`);
});

test('Opus from Chromium, to C++', { seconds: 120 }, async (env) => {
  const recording = await outFile('chromium-to-cpp.ogg');
  const recorder = await CppPeer.join(env, 'recorder', { view: [['alice', 'audio_main', 'OPUS', recording]] });
  const alice = await env.open('alice');
  await alice.connect(`{senders: [{name: 'audio_main', kind: 'audio', stream: lab.tone(${HERTZ})}]}`);
  await recorder.says('viewed', () => true, 20);
  await new Promise((resolve) => setTimeout(resolve, secondsOf(env) * 1000));
  const { audio_main: heard } = await recorder.stop();
  const { share, seconds } = await shareOfTone(recording, HERTZ);
  console.log(`    Opus: C++ ${heard.frames} packets, ${seconds.toFixed(1)} s, ${(share * 100).toFixed(1)} % of it at ${HERTZ} Hz`);
  assert.ok(heard.frames >= secondsOf(env) * 50 * 0.95, `${heard.frames} packets`);
  assert.ok(share > 0.9, `share ${share}`);
});

// ---- over links that lose, or carry little: with --long alone ---------------------------------------------------------

const LOSS = `table inet loss {
  chain in {
    type filter hook input priority 0
    meta l4proto udp numgen random mod 100 < 5 drop
  }
  chain out {
    type filter hook output priority 0
    meta l4proto udp numgen random mod 100 < 5 drop
  }
}`;

const longTest = (name, body) => process.argv.includes('--long') && test(name, { seconds: 180 }, body);

for (const codec of VIDEO) {
  longTest(`${codec} from C++, to C++ with 5 % loss`, async (env) => {
    const far = await env.openFarWorld();
    const clip = await makeClip(codec, secondsOf(env));
    const recording = await outFile(`loss.${suffixOf(codec)}`);
    const at = (i) => ({ through: far.hosts[i].front, server: far.server });
    const [robot, recorder] = await Promise.all([
      CppPeer.join(env, 'robot', { ...at(0), publish: [['video_main', codec, clip, FPS]] }),
      CppPeer.join(env, 'recorder', { ...at(1), view: [['robot', 'video_main', codec, recording]] }),
    ]);
    far.hosts[1].filter(LOSS);
    robot.go();
    const { frames: sent } = await robot.says('published', () => true, secondsOf(env) + 15);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const { video_main: seen } = await recorder.stop();
    console.log(`    ${codec}: ${sent} sent, ${seen.frames} seen, ${seen.keys} key frames`);
    assert.ok(seen.frames > sent * 0.9, `${seen.frames} of ${sent}`);
    assert.equal(await decodes(recording), seen.frames);
  });
}

longTest('VP8 from Chromium, to C++ behind 500 kbit/s', async (env) => {
  const far = await env.openFarWorld();
  const recording = await outFile('cap.ivf');
  far.hosts[1].cap(500);
  const recorder = await CppPeer.join(env, 'recorder', { through: far.hosts[1].front, server: far.server,
    view: [['alice', 'video_main', 'VP8', recording]] });
  const [alice] = await env.openFarPages('alice');
  await alice.connect('{senders: [V()]}');
  await recorder.says('viewed', () => true, 20);
  await new Promise((resolve) => setTimeout(resolve, secondsOf(env) * 1000));
  const { video_main: seen } = await recorder.stop();
  console.log(`    ${seen.frames} frames in ${secondsOf(env)} s, ${seen.keys} key frames`);
  assert.ok(seen.frames > secondsOf(env) * 30 * 0.5, `${seen.frames} frames`);
  assert.equal(await decodes(recording), seen.frames);
});
