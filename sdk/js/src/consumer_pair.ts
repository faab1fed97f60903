// A peer's audio and video together, as one stream for one element.
import type { StreamReceiverState } from './choices.js';
import type { IConsumerCallbacks, StreamConsumer } from './consumer.js';
import { TypedEventEmitter } from './events.js';
import type { StreamLimit } from './receiver.js';

export class StreamConsumerPair extends TypedEventEmitter<IConsumerCallbacks> {
  /** @internal */
  constructor(
    private readonly video: StreamConsumer,
    private readonly audio: StreamConsumer,
    /** Both tracks, once they are there. */
    readonly stream: MediaStream,
  ) {
    super();
    video.on('state', (state) => this.emit('state', state));
    audio.on('audio_level', (level) => this.emit('audio_level', level));
    for (const consumer of [audio, video]) {
      consumer.on('quality', (quality) => this.emit('quality', quality));
      consumer.on('track_added', (track) => {
        this.takeTracks();
        this.emit('track_added', track);
      });
    }
  }

  /** That of the video. */
  get state(): StreamReceiverState {
    return this.video.state;
  }

  view(key: string, limit?: StreamLimit): MediaStream {
    this.audio.view(key, limit);
    this.video.view(key, limit);
    this.takeTracks();
    return this.stream;
  }

  limit(key: string, limit: StreamLimit): void {
    this.video.limit(key, limit);
  }

  unview(key: string): void {
    this.audio.unview(key);
    this.video.unview(key);
    this.takeTracks();
  }

  private takeTracks(): void {
    const now = [this.audio, this.video].flatMap((consumer) => consumer.stream?.getTracks() ?? []);
    for (const old of this.stream.getTracks()) if (!now.includes(old)) this.stream.removeTrack(old);
    for (const track of now) this.stream.addTrack(track);
  }
}
