// Requests, answers and events over a data channel. One for each connection: its ids begin anew with it.
import { Atm0sError } from './errors.js';
import type { AnyFunction } from './events.js';
import { getLogger } from './log.js';
import { InOrder, pack, unpack } from './message.js';
import type { RpcMessage, RpcRequests, RpcResponse } from './protocol.js';
import { isObject } from './protocol.js';
import type { Timers } from './timers.js';

/** Longer than the server lets a request wait for its receiver (10 s), and than its own lifetime on the channel. */
export const ANSWER_MS = 15_000;

/** As much of an RTCDataChannel as is needed. */
export interface MessageChannelLike {
  readonly readyState: string;
  send(data: string | ArrayBuffer): void;
}

interface Waiting {
  resolve(answer: RpcResponse): void;
  reject(error: Error): void;
  cancel(): void;
}

export type RpcEventHandler = (event: string, data: unknown) => void;

export class RPC {
  private readonly logger = getLogger('rpc');
  private readonly waiting = new Map<number, Waiting>();
  private readonly handlers = new Map<string, RpcEventHandler[]>();
  private readonly sending = new InOrder();
  private readonly reading = new InOrder();
  private channel: MessageChannelLike | null = null;
  private lastId = 0;
  /** Told of every event, after those who listen to it by name. */
  onEvent: RpcEventHandler = () => {};

  constructor(private readonly timers: Timers) {}

  get connected(): boolean {
    return this.channel?.readyState === 'open';
  }

  attach(channel: MessageChannelLike): void {
    this.channel = channel;
  }

  /** Everything that waits is rejected, and so is what comes later. */
  close(error: Atm0sError): void {
    this.channel = null;
    for (const [id] of this.waiting) this.take(id)?.reject(error);
    this.handlers.clear();
    this.onEvent = () => {};
  }

  /** Resolves also when the server refuses (`status` is false, `error` the code); rejects when there is no answer. */
  request<T = unknown, C extends keyof RpcRequests = keyof RpcRequests>(
    cmd: C,
    data: RpcRequests[C],
    timeout = ANSWER_MS,
  ): Promise<RpcResponse<T>> {
    const channel = this.channel;
    if (!channel || channel.readyState !== 'open') {
      return Promise.reject(new Atm0sError('CONNECTION_LOST', `${cmd}: the data channel is not open`));
    }
    const id = ++this.lastId;
    return new Promise<RpcResponse<T>>((resolve, reject) => {
      const cancel = this.timers.after(timeout, () =>
        this.take(id)?.reject(new Atm0sError('TIMEOUT', `${cmd} was not answered in ${timeout} ms`)),
      );
      this.waiting.set(id, { resolve: resolve as Waiting['resolve'], reject, cancel });
      const failed = (error: unknown) => this.take(id)?.reject(new Atm0sError('CONNECTION_LOST', String(error)));
      const packing = pack(JSON.stringify({ req_id: id, type: 'request', request: cmd, data }));
      this.sending.run<string | ArrayBuffer>(
        packing,
        (packed) => {
          try {
            channel.send(packed);
          } catch (error) {
            failed(error);
          }
        },
        failed,
      );
    });
  }

  /** What is refused is thrown here. */
  async ask<T = unknown, C extends keyof RpcRequests = keyof RpcRequests>(cmd: C, data: RpcRequests[C]): Promise<T> {
    const answer = await this.request<T, C>(cmd, data);
    if (!answer.status) throw new Atm0sError(answer.error ?? 'SERVER_ERROR', `${cmd}: ${messageOf(answer.data)}`);
    return answer.data;
  }

  on(event: string, handler: RpcEventHandler): void {
    this.handlers.set(event, [...(this.handlers.get(event) ?? []), handler]);
  }

  off(event: string, handler: AnyFunction): void {
    this.handlers.set(
      event,
      (this.handlers.get(event) ?? []).filter((one) => one !== handler),
    );
  }

  offAllListeners(event: string): void {
    this.handlers.delete(event);
  }

  /** A message of the channel. What is none of this protocol is dropped. */
  receive(data: string | ArrayBuffer): void {
    const failed = (error: unknown) => this.logger.warn('a message that cannot be read', error);
    let text: string | Promise<string>;
    try {
      text = unpack(data);
    } catch (error) {
      return failed(error);
    }
    this.reading.run(text, (ready) => this.process(ready), failed);
  }

  private process(text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      return this.logger.warn('a message that is no JSON');
    }
    if (!isObject(message)) return;
    const { type, event, req_id: id, success, data, error } = message as Partial<RpcMessage>;
    if (type === 'answer' && typeof id === 'number') {
      this.take(id)?.resolve({ status: success === true, data, ...(typeof error === 'string' ? { error } : {}) });
    } else if (type === 'event' && typeof event === 'string') {
      for (const handler of this.handlers.get(event) ?? []) handler(event, data);
      this.onEvent(event, data);
    }
  }

  private take(id: number): Waiting | undefined {
    const found = this.waiting.get(id);
    this.waiting.delete(id);
    found?.cancel();
    return found;
  }
}

const messageOf = (data: unknown): string =>
  isObject(data) && typeof data['message'] === 'string' ? data['message'] : 'refused';
