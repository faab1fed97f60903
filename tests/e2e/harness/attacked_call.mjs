// A call of two while strangers throw at its server what they can (attack.mjs): it goes on as if they were not there.
import { readFile } from 'node:fs/promises';
import { seesAndHears } from './peer.mjs';
import { assert } from './test.mjs';

const BOTH = '{senders: [A(), V()], receivers: {audio: 1, video: 1}}';
const STREAMS = ['audio_main', 'video_main'];
const LOST_MAX = 0.005; // of the call's packets; this machine encodes and decodes four streams meanwhile

// Bytes of memory that a process has.
export const rss = async (pid) =>
  1024 * Number((await readFile(`/proc/${pid}/status`, 'utf8')).match(/^VmRSS:\s+(\d+) kB$/m)[1]);

const received = async (peer, other) => Object.fromEntries(await Promise.all(STREAMS.map(async (stream) =>
  [stream, await peer.lab('inbound', `${other.name}/${stream}`)])));

// alice and bob see and hear each other. With the answers to their connect calls, and what strangers may find out: the
// `ufrags` and `ssrcs` of their sessions. `expectUnharmed(seconds)` holds what came since, so long, to what has to come.
export async function openAttackedCall(env, server) {
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => env.join(name, BOTH, { server })));
  await Promise.all([seesAndHears(alice, bob), seesAndHears(bob, alice)]);
  const replies = [...await alice.replies('/webrtc/connect'), ...await bob.replies('/webrtc/connect')];
  const ways = [[alice, bob], [bob, alice]];
  const before = await Promise.all(ways.map(([peer, other]) => received(peer, other)));

  const expectUnharmed = async (seconds) => {
    for (const [i, [peer, other]] of ways.entries()) {
      await peer.flows(...STREAMS.map((stream) => `${other.name}/${stream}`));
      const now = await received(peer, other), then = before[i];
      const frames = now.video_main.framesDecoded - then.video_main.framesDecoded;
      assert.ok(frames > seconds * 10, `${peer.name} decoded ${frames} frames in ${seconds} s`);
      for (const stream of STREAMS) {
        const lost = now[stream].packetsLost - then[stream].packetsLost;
        const came = now[stream].packetsReceived - then[stream].packetsReceived;
        assert.ok(lost <= LOST_MAX * came, `${peer.name} lost ${lost} of ${came} packets of ${stream}`);
        console.log(`       ${peer.name} ${stream}: ${came} packets, ${lost} lost`);
      }
      assert.ok(!await peer.lab('sawEvent', 'reconnecting') && !await peer.lab('sawEvent', 'disconnected'));
    }
  };
  return {
    peers: [alice, bob], replies, expectUnharmed,
    ufrags: replies.map(({ data }) => data.sdp.match(/^a=ice-ufrag:(.*)$/m)[1].trim()),
    ssrcs: before.flatMap((all) => STREAMS.map((stream) => all[stream].ssrc)),
  };
}
