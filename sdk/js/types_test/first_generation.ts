// Code as it is written for npm's @8xff/atm0s-media-js. It is compiled against that package's types, and against ours.
import {
  BitrateControlMode,
  Codecs,
  ContentHint,
  LatencyMode,
  LogLevel,
  MixMinusMode,
  RealtimeSocketState,
  StreamKinds,
  StreamReceiverState,
  StreamRemote,
  StreamSenderState,
  createSession,
  getLogger,
  setLogLevel,
} from '@8xff/atm0s-media-js';
import type {
  ISessionConfig,
  IStreamReceiver,
  IStreamSender,
  RemoteStreamQuality,
  RoomStats,
  SenderConfig,
  Session,
  StreamConsumer,
  StreamConsumerPair,
  StreamLimit,
  StreamPublisher,
  StreamReceiver,
  StreamRemoteState,
  StreamSender,
} from '@8xff/atm0s-media-js';

declare const camera: MediaStream;
declare const players: [HTMLAudioElement, HTMLAudioElement, HTMLAudioElement];

const senders: SenderConfig[] = [
  { name: 'audio_main', kind: StreamKinds.AUDIO, stream: camera },
  {
    name: 'video_main',
    kind: StreamKinds.VIDEO,
    stream: camera,
    simulcast: true,
    maxBitrate: 1_500_000,
    label: 'front',
    screen: false,
    preferredCodecs: [Codecs.VP9, Codecs.VP8],
    contentHint: ContentHint.Motion,
  },
];

const config: ISessionConfig = {
  roomId: 'room',
  peerId: 'peer',
  token: 'token',
  senders,
  receivers: { audio: 1, video: 1 },
  mixMinusAudio: { mode: MixMinusMode.AllAudioStreams, elements: players },
  latencyMode: LatencyMode.Smooth200,
  iceServers: [{ urls: 'stun:example.org', username: 'u', credential: 'c' }],
  codecs: [Codecs.OPUS, Codecs.H264],
  bitrateControlMode: BitrateControlMode.PerStream,
  logLevel: LogLevel.Debug,
};

export async function call(): Promise<void> {
  setLogLevel(LogLevel.Warn);
  getLogger('app').info('joining');
  const session: Session = createSession(['https://a.example', 'https://b.example'], config);
  const end = session.on('stream_added', (remote: StreamRemote) => show(session, remote));
  session.on('mystream_updated', (remote) => console.log(remote.peerHash, remote.state.active));
  session.on('room_stats', (stats: RoomStats) => console.log(stats.peers));
  session.on('peer_state', (state: RealtimeSocketState) => console.log(state === RealtimeSocketState.Reconnecting));
  session.on('disconnected', (reason: string) => console.log(reason));
  session.on('connected', () => {});
  await session.connect();
  const rtt: number = await session.ping();
  await session.restartIce();
  end();

  const publisher: StreamPublisher = session.createPublisher({ name: 'extra', kind: StreamKinds.VIDEO });
  publisher.on('state', (state: StreamSenderState) => console.log(state === StreamSenderState.Deactivated));
  publisher.switch(camera, 'label');
  publisher.switchStream(null);
  publisher.stop();
  console.log(publisher.state, publisher.localStream?.id, rtt);

  const sender: StreamSender = session.createSender({ name: 'second', kind: StreamKinds.AUDIO, stream: null });
  sender.switch(camera);
  const again: IStreamSender | undefined = session.getSender(StreamKinds.AUDIO, 'second');
  console.log(again?.uuid, again?.label, again?.simulcast, again?.maxBitrate, again?.isScreen, again?.stream?.id);
  await again?.stop();

  const pair: StreamConsumerPair = session.createConsumerPair('bob', 'audio_main', 'video_main');
  pair.on('quality', (quality: RemoteStreamQuality | undefined) => console.log(quality?.mos));
  const together: MediaStream = pair.view('page', { priority: 100, maxSpatial: 2, maxTemporal: 2 });
  pair.unview('page');
  console.log(together.id, pair.state === StreamReceiverState.Live, pair.stream.id);

  const mixer = session.getMixMinusAudio();
  await mixer?.addSourceManual('bob', 'audio_main');
  await mixer?.removeSourceManual('bob', 'audio_main');
  mixer?.on('slot_0', (slot: [string, number] | null) => console.log(slot?.[0]));
  mixer?.play();
  console.log(session.wasConnected, session.disconnected);
  session.offAllListeners();
  await session.disconnect();
}

function show(session: Session, remote: StreamRemote): void {
  const limit: StreamLimit = { priority: 50, maxSpatial: 1, maxTemporal: 2 };
  const consumer: StreamConsumer = session.createConsumer(remote);
  const video = document.createElement('video');
  video.srcObject = consumer.view('tile', limit);
  consumer.limit('tile', limit);
  consumer.on('track_added', (track: MediaStreamTrack) => console.log(track.id));
  consumer.unview('tile');
  remote.on('state', (state: StreamRemoteState) => console.log(state.scaling, state.layers.length, state.status));
  remote.on('quality', (quality: RemoteStreamQuality | null) =>
    console.log(quality?.peer, quality?.name, quality?.kind),
  );
  remote.on('closed', () => {});

  const receiver: IStreamReceiver = session.takeReceiver(remote.kind);
  receiver.switch(remote, 70).then((taken: boolean) => console.log(taken, receiver.remoteId));
  receiver.limit(limit).catch(() => {});
  receiver.on('audio_level', (level: number) => console.log(level));
  receiver.on('state', (state: StreamReceiverState) => console.log(state === StreamReceiverState.Pause));
  receiver.disconnect().catch(() => {});
  session.backReceiver(receiver);
  const more: StreamReceiver = session.createReceiver(StreamKinds.VIDEO);
  console.log(more.stream.id, more.state);
}
