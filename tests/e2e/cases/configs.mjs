// Every session configuration of which a real connect was recorded, run live: it connects, each sender with a track
// reaches a viewer, and each receiver that it asked for gets media.
import { assert, test } from '../harness/test.mjs';

const AV = ['audio_main', 'video_main'];

// config: as it was recorded. streams: what others must get. receivers: [audio, video] that must get media, without
// those that mix-minus takes for itself. codec: of the video as viewers get it.
const CONFIGS = {
  basic: { config: '{senders:[A(),V()],receivers:{audio:1,video:1}}', streams: AV, receivers: [1, 1] },
  'bitratecontrol-sumonly': {
    config: "{senders:[A(),V()],receivers:{audio:1,video:1},bitrateControlMode:'SumBitrateOnly'}", streams: AV, receivers: [1, 1] },
  codecs: { config: "{senders:[A(),V()],receivers:{audio:1,video:1},codecs:['OPUS','VP8','H264']}", streams: AV,
    receivers: [1, 1], codec: 'video/VP8' },
  empty: { config: '{senders:[],receivers:{}}', streams: [], receivers: [0, 0] },
  iceservers: { config: "{senders:[A(),V()],receivers:{audio:1,video:1},iceServers:[{urls:'stun:127.0.0.1:3478'}]}",
    streams: AV, receivers: [1, 1] },
  // Two senders that share one track come as one entry, under the second's name; with our own SDK as two.
  'label-two-video': {
    config: "{senders:[A({label:'my mic'}),V(),V({name:'video_second',label:'second cam'})],receivers:{audio:0,video:1}}",
    streams: ['audio_main', 'video_second'], ownStreams: ['audio_main', 'video_main', 'video_second'], receivers: [0, 1] },
  'latency-ultralow': { config: "{senders:[A(),V()],receivers:{audio:1,video:1},latencyMode:'ultra-low'}", streams: AV,
    receivers: [1, 1] },
  'lazy-publisher-before-connect': { config: '{senders:[],receivers:{audio:1,video:1}}',
    before: 'session.createPublisher(A()); session.createPublisher(V());', streams: AV, receivers: [1, 1] },
  'lazy-publisher-no-stream': { config: '{senders:[],receivers:{audio:1,video:1}}',
    before: "session.createPublisher({name:'audio_main',kind:'audio'}); session.createPublisher({name:'video_main',kind:'video'});",
    streams: [], receivers: [1, 1] },
  maxbitrate: { config: '{senders:[A(),V({maxBitrate:1500000})],receivers:{audio:1,video:1}}', streams: AV, receivers: [1, 1] },
  'mixminus-all': { config: "{senders:[A(),V()],receivers:{audio:1,video:1},mixMinusAudio:{mode:'AllAudioStreams'}}",
    streams: AV, receivers: [1, 1] },
  'mixminus-manual': { config: "{senders:[A(),V()],receivers:{audio:1,video:1},mixMinusAudio:{mode:'ManualAudioStreams'}}",
    streams: AV, receivers: [1, 1] },
  'mixminus-noreceivers': { config: "{senders:[A()],mixMinusAudio:{mode:'AllAudioStreams'}}", streams: ['audio_main'],
    receivers: [0, 0] },
  'no-senders-key': { config: '{}', streams: [], receivers: [0, 0] },
  'preferred-codecs-h264': { config: "{senders:[A(),V({preferredCodecs:['H264']})],receivers:{audio:1,video:1}}",
    streams: AV, receivers: [1, 1], codec: 'video/H264' },
  'preferred-codecs-vp9': { config: "{senders:[A(),V({preferredCodecs:['VP9','VP8']})],receivers:{audio:1,video:1}}",
    streams: AV, receivers: [1, 1], codec: 'video/VP9' },
  'screen-simulcast': {
    config: "{senders:[V({name:'video_screen',screen:true,simulcast:true,contentHint:'detail'})],receivers:{}}",
    streams: ['video_screen'], receivers: [0, 0] },
  'sender-null-stream': {
    config: "{senders:[{name:'audio_main',kind:'audio'},{name:'video_main',kind:'video',stream:null}],receivers:{audio:1,video:1}}",
    streams: [], receivers: [1, 1] },
  'simulcast-maxbitrate': { config: '{senders:[A(),V({simulcast:true,maxBitrate:2500000})],receivers:{audio:1,video:1}}',
    streams: AV, receivers: [1, 1] },
  simulcast: { config: '{senders:[A(),V({simulcast:true})],receivers:{audio:1,video:1}}', streams: AV, receivers: [1, 1] },
  'urls-array': { config: '{senders:[A()],receivers:{audio:1,video:0}}', list: true, streams: ['audio_main'], receivers: [1, 0] },
  'viewer-only': { config: '{senders:[],receivers:{audio:2,video:2}}', streams: [], receivers: [2, 2] },
};

for (const [name, { config, before, list, streams, ownStreams, receivers, codec }] of Object.entries(CONFIGS)) {
  test(`connect-${name}`, {}, async (env) => {
    const other = await env.join('other', '{senders: [A(), V()], receivers: {audio: 1, video: 1}}');
    const alice = await env.join('alice', config, { before, urls: list && [env.server.url] });

    const seen = [];
    for (const stream of (env.sdk === 'own' && ownStreams) || streams) seen.push(await other.view(alice, stream));
    const got = [];
    for (const [i, kind] of ['audio', 'video'].entries()) {
      for (let k = 0; k < receivers[i]; ++k) got.push(await alice.view(other, kind + '_main', `${kind}-${k}`));
    }
    for (const id of seen) {
      const report = await other.flows(id);
      if (codec && id.endsWith('video_main')) assert.equal(report.codec, codec);
    }
    for (const id of got) await alice.flows(id);
    assert.equal(typeof await alice.lab('run', 'return session.ping()'), 'number');
  });
}
