// Uses of the types of this SDK, right ones and wrong ones: each @ts-expect-error is a mistake that the compiler has
// to see.
import { Atm0sError, Codecs, Session, createSession } from 'atm0s-client';
import type { ISessionConfig, LatencyMode, SenderConfig, SessionStats, StreamReceiverState } from 'atm0s-client';

const base = { roomId: 'room', peerId: 'peer', token: 'token' };

// Values may be written as plain strings or by their names.
export const config: ISessionConfig = {
  ...base,
  codecs: ['OPUS', Codecs.AV1],
  latencyMode: 'smooth-2000',
  bitrateControlMode: 'SumBitrateOnly',
  mixMinusAudio: { mode: 'ManualAudioStreams' },
  iceServers: [{ urls: ['turn:a', 'turn:b'], username: 'u', credential: 'c' }, { urls: 'stun:c' }],
  reconnect: { giveUpAfter: 60_000 },
  renewToken: async () => 'another',
  subScope: 'manual',
  metadata: 'anything',
};
export const never: ISessionConfig = { ...base, reconnect: false };

// @ts-expect-error the token is missing
export const noToken: ISessionConfig = { roomId: 'room', peerId: 'peer' };
// @ts-expect-error there is no such codec
export const noCodec: ISessionConfig = { ...base, codecs: ['VP7'] };
// @ts-expect-error there is no such mode
export const noMode: LatencyMode = 'smooth-300';
// @ts-expect-error a misspelt property
export const misspelt: ISessionConfig = { ...base, latencymode: 'default' };
const two: [HTMLAudioElement, HTMLAudioElement] = [new Audio(), new Audio()];
// @ts-expect-error three elements, one for each slot
export const twoPlayers: ISessionConfig['mixMinusAudio'] = { mode: 'AllAudioStreams', elements: two };
// @ts-expect-error a sender has a kind
export const noKind: SenderConfig = { name: 'video_main' };
// @ts-expect-error spelt as on the wire
export const noState: StreamReceiverState = 'source_deactivated';

export async function uses(session: Session): Promise<void> {
  session.on('error', (error) => {
    const code: string = error.code;
    if (error.code === 'INVALID_TOKEN') console.log(code, error.detail, error instanceof Atm0sError);
  });
  session.on('closing', ({ reason, retryMs }) => console.log(reason, retryMs?.toFixed()));
  session.on('peer_updated', (peer) => console.log(peer.peerId, peer.state === 'Reconnecting'));
  session.once('connected', () => {});
  // @ts-expect-error there is no such event
  session.on('conected', () => {});
  // @ts-expect-error room_stats has numbers
  session.on('room_stats', (stats: string) => console.log(stats));
  // @ts-expect-error the kind is audio or video
  session.takeReceiver('smell');
  // @ts-expect-error a limit has a maximum
  session.createConsumer(session.streams[0]!).view('k', { priority: 1 });
  // @ts-expect-error what is inside is nobody's business
  console.log(session.link);
  // @ts-expect-error a stream's name does not change
  session.streams[0]!.name = 'other';

  const stats: SessionStats = await session.getStats();
  console.log(stats.rtt?.toFixed(), stats.senders[0]?.layers[0]?.rid, stats.receivers[0]?.source?.peer);
  const mixer = session.createMixMinusAudio('second');
  mixer.on('slot_2', (slot) => console.log(slot?.[0].length, slot?.[1].toFixed()));
  mixer.on('source_bob', (level) => console.log(level?.toFixed()));
  mixer.on('autoplay_blocked', () => void mixer.play());
  // @ts-expect-error there is no such event
  mixer.on('slots', () => {});
  await session.setToken('token');
  await session.subscribePeer('bob');
  console.log(session.state === 'reconnecting', session.peerConnection.connectionState);
  // @ts-expect-error the url is missing
  createSession(config);
}
