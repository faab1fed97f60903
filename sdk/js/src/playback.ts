// Audio elements that play, also where the browser forbids it until the user has touched the page.
import type { Platform } from './platform.js';

const GESTURES = ['pointerup', 'keydown', 'touchend'];

export class Playback {
  private elements: HTMLAudioElement[] = [];
  private isBlocked = false;

  /** `told` hears true when the browser refuses to play, and false when it plays after all. */
  constructor(
    private readonly page: Platform['page'],
    private readonly told: (blocked: boolean) => void,
  ) {}

  get blocked(): boolean {
    return this.isBlocked;
  }

  add(element: HTMLAudioElement, stream: MediaStream): void {
    element.autoplay = true;
    element.srcObject = stream;
    this.elements.push(element);
  }

  /** Plays all; from a user's gesture that always works. Resolves to whether all may play. */
  async play(): Promise<boolean> {
    const elements = this.elements;
    const refused = await Promise.all(
      elements.map((element) => Promise.resolve(element.play()).then(() => false, isRefusal)),
    );
    if (elements !== this.elements) return false; // let go of meanwhile
    this.setBlocked(refused.includes(true));
    return !this.isBlocked;
  }

  /** Lets go of the elements; they stay in the page if they came from there. */
  close(): void {
    for (const element of this.elements) {
      element.pause();
      element.srcObject = null;
    }
    this.elements = [];
    this.listen(false);
    this.isBlocked = false;
  }

  private setBlocked(blocked: boolean): void {
    if (this.isBlocked === blocked) return;
    this.isBlocked = blocked;
    this.listen(blocked);
    this.told(blocked);
  }

  private listen(on: boolean): void {
    for (const gesture of GESTURES) {
      if (on) this.page?.addEventListener(gesture, this.onGesture, { capture: true });
      else this.page?.removeEventListener(gesture, this.onGesture, { capture: true });
    }
  }

  private readonly onGesture = (): void => void this.play();
}

// Anything else, such as an element whose stream was taken away, is none of the user's business.
const isRefusal = (error: unknown): boolean => error instanceof Error && error.name === 'NotAllowedError';
