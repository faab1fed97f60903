// Rooms, peers and streams may be called anything.
import { assert, test } from '../harness/test.mjs';
import { seesAndHears } from '../harness/peer.mjs';

const NAMES = {
  'spaces and slashes': ['my room / upstairs', 'Ada / Lovelace', 'video main/hd'],
  'other alphabets': ['phòng họp số 1 会議室 🎉', 'Nguyễn Văn Ơ', 'камера-главная'],
  'markup and quotes': ['<b>room</b>"\\', '<img src=x onerror=alert(1)>', "video'\";--\\u0000%2F"],
};

for (const [what, [room, peer, stream]] of Object.entries(NAMES)) {
  test(`names with ${what}`, { core: true }, async (env) => {
    const options = { room: room + ' ' + env.room };
    const alice = await env.join(peer, `{senders: [A(), V({name: ${JSON.stringify(stream)}})]}`, options);
    const bob = await env.join('bob of ' + peer, '{receivers: {audio: 1, video: 1}}', options);
    await seesAndHears(bob, alice, ['audio_main', stream]);
    const remotes = await bob.page.evaluate(() => [...lab.remotes.values()].map((r) => [r.peerId, r.name]).sort());
    assert.deepEqual(remotes, [[peer, 'audio_main'], [peer, stream]].sort());
  });
}
