// As much of WebRTC as the SDK touches, in memory. Its SDP has a line for each m-line and nothing else.
/* eslint-disable @typescript-eslint/no-explicit-any */

let lastId = 0;
const nextId = (what: string): string => `${what}-${++lastId}`;

export class FakeTrack {
  readonly id = nextId('track');
  readyState = 'live';
  contentHint = '';
  constructor(
    readonly kind: string,
    readonly label = 'a device',
  ) {}
  stop(): void {
    this.readyState = 'ended';
  }
}

export class FakeStream {
  tracks: FakeTrack[];
  constructor(
    tracks: FakeTrack[] = [],
    readonly id = nextId('stream'),
  ) {
    this.tracks = [...tracks];
  }
  getTracks = (): FakeTrack[] => [...this.tracks];
  getAudioTracks = (): FakeTrack[] => this.tracks.filter((one) => one.kind === 'audio');
  getVideoTracks = (): FakeTrack[] => this.tracks.filter((one) => one.kind === 'video');
  addTrack(track: FakeTrack): void {
    if (!this.tracks.includes(track)) this.tracks.push(track);
  }
  removeTrack(track: FakeTrack): void {
    this.tracks = this.tracks.filter((one) => one !== track);
  }
}

/** A stream with those tracks, as an application has it. */
export const media = (...kinds: string[]): MediaStream =>
  new FakeStream(kinds.map((kind) => new FakeTrack(kind))) as any;

export class FakeTransceiver {
  mid: string | null = null;
  isStopped = false;
  preferences: string[] | null = null;
  readonly kind: string;
  readonly trackId: string;
  readonly sender: any;
  readonly receiver: any;
  constructor(
    first: string | FakeTrack,
    readonly direction: string,
    readonly stream: FakeStream | undefined,
    encodings: any[],
  ) {
    const kind = (this.kind = typeof first === 'string' ? first : first.kind);
    this.trackId = typeof first === 'string' ? nextId('sent') : first.id;
    let parameters = { transactionId: '1', encodings, codecs: [], headerExtensions: [], rtcp: {} };
    this.sender = {
      track: typeof first === 'string' ? null : first,
      replaceTrack: async (track: FakeTrack | null) => void (this.sender.track = track),
      getParameters: () => structuredClone(parameters),
      setParameters: async (next: typeof parameters) => void (parameters = structuredClone(next)),
    };
    this.receiver = { track: new FakeTrack(kind), jitterBufferTarget: null };
  }
  setCodecPreferences(codecs: { mimeType: string }[]): void {
    this.preferences = codecs.map((one) => one.mimeType);
  }
  stop(): void {
    this.isStopped = true;
  }
}

export class FakeChannel extends EventTarget {
  readyState = 'connecting';
  binaryType = '';
  sent: (string | ArrayBuffer)[] = [];
  onSend: (data: string | ArrayBuffer) => void = () => {};
  constructor(readonly options: any) {
    super();
  }
  send(data: string | ArrayBuffer): void {
    if (this.readyState !== 'open') throw new Error('not open');
    this.sent.push(data);
    this.onSend(data);
  }
  close(): void {
    this.readyState = 'closed';
  }
}

export class FakePeerConnection extends EventTarget {
  connectionState = 'new';
  transceivers: FakeTransceiver[] = [];
  channel: FakeChannel | null = null;
  configurations: any[];
  localDescription: any = null;
  remoteDescription: any = null;
  offers = 0;
  restarts = 0;
  stats: any[] = [];
  readonly id = nextId('pc');

  constructor(config: any) {
    super();
    this.configurations = [config];
  }
  addTransceiver(first: string | FakeTrack, init: any): FakeTransceiver {
    const transceiver = new FakeTransceiver(first, init.direction, init.streams?.[0], init.sendEncodings ?? [{}]);
    this.transceivers.push(transceiver);
    return transceiver;
  }
  createDataChannel(_label: string, options: any): FakeChannel {
    return (this.channel = new FakeChannel(options));
  }
  setConfiguration(config: any): void {
    this.configurations.push(config);
  }
  async createOffer(options: any = {}): Promise<any> {
    ++this.offers;
    if (options.iceRestart) ++this.restarts;
    const lines = this.transceivers
      .filter((one) => !one.isStopped || one.mid !== null)
      .map(
        (one, i) =>
          `m=${one.kind} ${one.isStopped ? 'stopped' : one.direction} ${one.mid ?? i}` +
          (one.stream && !one.isStopped ? `\r\na=msid:${one.stream.id} ${one.trackId}` : ''),
      );
    return { type: 'offer', sdp: [`o=${this.id}`, ...lines, ''].join('\r\n') };
  }
  async setLocalDescription(offer: any): Promise<void> {
    this.localDescription = offer;
    this.transceivers.forEach((one, i) => (one.isStopped ? undefined : (one.mid ??= String(i))));
  }
  /** The answer has "recv {id}" for each receiver, in the order of the m-lines of its kind. */
  async setRemoteDescription(answer: any): Promise<void> {
    this.remoteDescription = answer;
    const ids = [...String(answer.sdp).matchAll(/^recv (\S+)/gm)].map((found) => found[1] as string);
    for (const id of ids) {
      const at = Number(id.split('_')[1]),
        kind = id.split('_')[0];
      const line = this.transceivers.filter((one) => one.kind === kind && one.direction === 'recvonly')[at];
      if (!line || (line as any).bound) continue;
      (line as any).bound = true;
      this.dispatchEvent(
        Object.assign(new Event('track'), { track: line.receiver.track, streams: [{ id }], receiver: line.receiver }),
      );
    }
  }
  async getStats(): Promise<Map<string, any>> {
    return new Map(this.stats.map((one) => [one.id, one]));
  }
  become(state: string): void {
    this.connectionState = state;
    this.dispatchEvent(new Event('connectionstatechange'));
  }
  close(): void {
    this.connectionState = 'closed';
    this.transceivers.forEach((one) => one.receiver.track.stop());
  }
}
