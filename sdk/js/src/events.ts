// Typed events: who listens is told in the order of registration, and one listener's fault reaches no other.

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyFunction = (...args: any[]) => any;

/** The events of a class: names, and what their listeners take. */
export type EventMap<T> = Record<keyof T, AnyFunction>;

export class TypedEventEmitter<TEvents extends EventMap<TEvents>> {
  private readonly handlers = new Map<keyof TEvents, AnyFunction[]>();

  /** Tells all who listen now. What a listener throws is reported to the page, and goes no further. */
  emit<TEvent extends keyof TEvents>(event: TEvent, ...args: Parameters<TEvents[TEvent]>): void {
    for (const handler of [...(this.handlers.get(event) ?? [])]) {
      try {
        handler(...args);
      } catch (error) {
        report(error);
      }
    }
  }

  /** Returns the function that ends it. */
  on<TEvent extends keyof TEvents>(event: TEvent, handler: TEvents[TEvent]): () => void {
    const handlers = this.handlers.get(event);
    if (handlers) handlers.push(handler);
    else this.handlers.set(event, [handler]);
    return () => this.off(event, handler);
  }

  once<TEvent extends keyof TEvents>(event: TEvent, handler: TEvents[TEvent]): () => void {
    const end = this.on(event, ((...args: unknown[]) => {
      end();
      handler(...args);
    }) as TEvents[TEvent]);
    return end;
  }

  onMany<TEvent extends keyof TEvents>(events: TEvent[], handler: TEvents[TEvent]): (() => void)[] {
    return events.map((event) => this.on(event, handler));
  }

  off<TEvent extends keyof TEvents>(event: TEvent, handler: TEvents[TEvent]): void {
    const left = (this.handlers.get(event) ?? []).filter((one) => one !== handler);
    if (left.length) this.handlers.set(event, left);
    else this.handlers.delete(event);
  }

  removeListener<TEvent extends keyof TEvents>(event: TEvent, handler: TEvents[TEvent]): void {
    this.off(event, handler);
  }

  offAllListeners(): void {
    this.handlers.clear();
  }

  removeAllListeners(): void {
    this.handlers.clear();
  }

  listeners<TEvent extends keyof TEvents>(event: TEvent): TEvents[TEvent][] | undefined {
    return this.handlers.get(event) as TEvents[TEvent][] | undefined;
  }

  listenerCount<TEvent extends keyof TEvents>(event: TEvent): number {
    return this.handlers.get(event)?.length ?? 0;
  }
}

/** To `window.onerror` and the console, as if the listener had been the browser's. */
function report(error: unknown): void {
  if (typeof reportError === 'function') reportError(error);
  else console.error(error);
}
