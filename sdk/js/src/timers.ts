// Timers that their owner can end all at once, on a clock that tests drive by hand.

export interface Clock {
  /** Milliseconds, never backwards. */
  now(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(id: unknown): void;
}

export class Timers {
  private readonly running = new Set<unknown>();

  constructor(private readonly clock: Clock) {}

  now(): number {
    return this.clock.now();
  }

  /** Returns the function that cancels it. */
  after(ms: number, run: () => void): () => void {
    const id = this.clock.setTimeout(() => {
      this.running.delete(id);
      run();
    }, ms);
    this.running.add(id);
    return () => {
      if (this.running.delete(id)) this.clock.clearTimeout(id);
    };
  }

  /** The promise, or a rejection with what `late` makes if it takes longer. */
  within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const cancel = this.after(ms, () => reject(late()));
      promise.then(resolve, reject).finally(cancel);
    });
  }

  /** Those that run now end without a word. */
  clear(): void {
    for (const id of this.running) this.clock.clearTimeout(id);
    this.running.clear();
  }

  get count(): number {
    return this.running.size;
  }
}
