// A publisher: a sender seen from an application. It may be made before there is a stream.
import type { StreamSenderState } from './choices.js';
import { TypedEventEmitter } from './events.js';
import type { StreamSender } from './sender.js';

export interface IPublisherCallbacks {
  state: (state: StreamSenderState) => void;
  audio_level: (level: number) => void;
}

export class StreamPublisher extends TypedEventEmitter<IPublisherCallbacks> {
  /** @internal */
  constructor(readonly sender: StreamSender) {
    super();
    sender.on('state', (state) => this.emit('state', state));
    sender.on('audio_level', (level) => this.emit('audio_level', level));
  }

  get state(): StreamSenderState {
    return this.sender.state;
  }

  get localStream(): MediaStream | undefined | null {
    return this.sender.stream;
  }

  /** Publishes another stream from now on; null: none, until the next call. */
  switch(stream: MediaStream | null, label?: string): void {
    this.sender.switch(stream, label);
  }

  switchStream(stream: MediaStream | null, label?: string): void {
    this.sender.switch(stream, label);
  }

  /** Ends it: viewers are told that the stream is gone. */
  stop(): Promise<void> {
    return this.sender.stop();
  }
}
