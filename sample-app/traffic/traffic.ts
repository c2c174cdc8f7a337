import { Pace } from './pace.js';

/** Requests at a steady rate, whether or not the ones before are answered. */
export class Traffic {
  private readonly inFlight = new Set<Promise<void>>();
  private readonly pace: Pace;

  /** @param request sends one, and resolves with its answer counted; never rejects */
  constructor(
    perSecond: number,
    private readonly request: () => Promise<void>,
  ) {
    this.pace = new Pace(perSecond, () => this.send());
  }

  start(): void {
    this.pace.start();
  }

  /** Sends no more, and resolves when all that was sent is answered. */
  async stop(): Promise<void> {
    this.pace.stop();
    await Promise.all(this.inFlight);
  }

  send(): void {
    const request = this.request().finally(() => this.inFlight.delete(request));
    this.inFlight.add(request);
  }
}
