import { Socket } from 'node:net';
import { sinceLatestCall } from './outgoing-calls.js';
import { skip, woundMonotonic, woundNow, woundOffset } from './wound-time.js';
import { WoundTimer } from './wound-timer.js';

/*
 * A clock that runs at its real pace and can be wound forward, for code that knows nothing of it: importing this module
 * replaces the process's clocks and timers. Hours pass in a moment, and no millisecond of a real exchange is stretched.
 *
 * Its limits: Node's own timers in C++ and inside `http.Server` are not moved, nor are `timers/promises`, file times and
 * event-loop statistics; and what two processes do at the same wound time is in order only as far as they are wound
 * in steps.
 */

/** Real milliseconds an exchange on loopback gets before the clock is wound past it. */
const GRACE = 40;

const RealDate = Date;
const waitReal = setTimeout;
const hrtime = process.hrtime.bind(process);
const performanceNow = performance.now.bind(performance);

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget): object =>
    Reflect.construct(target, args.length === 0 ? [woundNow()] : args, newTarget),
  apply: () => new RealDate(woundNow()).toString(),
  get: (target, name): unknown => (name === 'now' ? woundNow : Reflect.get(target, name)),
});

performance.now = () => performanceNow() + woundOffset();
process.hrtime = Object.assign(
  (before?: [number, number]): [number, number] => {
    const [seconds, nanoseconds] = hrtime();
    const total = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds) + woundNanoseconds();
    const since = before ? total - (BigInt(before[0]) * 1_000_000_000n + BigInt(before[1])) : total;
    return [Number(since / 1_000_000_000n), Number(since % 1_000_000_000n)];
  },
  { bigint: () => hrtime.bigint() + woundNanoseconds() },
);

function woundNanoseconds(): bigint {
  return BigInt(Math.round(woundOffset() * 1e6));
}

const clear: typeof WoundTimer.clear = (timer) => WoundTimer.clear(timer);
Object.assign(globalThis, {
  setTimeout: (callback: () => void, delay?: number, ...args: unknown[]) =>
    new WoundTimer(callback, delay, false, args),
  setInterval: (callback: () => void, delay?: number, ...args: unknown[]) =>
    new WoundTimer(callback, delay, true, args),
  clearTimeout: clear,
  clearInterval: clear,
});

AbortSignal.timeout = (delay) => {
  const controller = new AbortController();
  const expire = (): void =>
    controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  new WoundTimer(expire, delay, false, []).unref();
  return controller.signal;
};

// The `timeout` of http.request() is one of its socket. A server's own sockets keep their real idle times: the load
// comes in real time.
// oxlint-disable-next-line typescript/unbound-method -- called with its socket below
const realSetTimeout = Socket.prototype.setTimeout;
const idle = new WeakMap<Socket, WoundTimer>();
Socket.prototype.setTimeout = function (this: Socket, delay, callback) {
  if ('server' in this && this.server) return realSetTimeout.call(this, delay, callback);
  idle.get(this)?.close();
  if (delay > 0) idle.set(this, idleTimer(this, delay));
  if (callback && delay > 0) this.once('timeout', callback);
  return this;
};

function idleTimer(socket: Socket, delay: number): WoundTimer {
  let seen = traffic(socket);
  const timer = new WoundTimer(
    () => {
      if (traffic(socket) === seen) {
        timer.close();
        socket.emit('timeout');
      }
      seen = traffic(socket);
    },
    delay,
    true,
    [],
  );
  socket.once('close', () => timer.close());
  return timer.unref();
}

function traffic(socket: Socket): number {
  return socket.bytesRead + socket.bytesWritten;
}

/**
 * Winds the clock forward, timer by timer, each with the time to do what it does.
 *
 * @returns how far the clock has been wound since the start
 */
export async function windBy(milliseconds: number): Promise<number> {
  const target = woundMonotonic() + milliseconds;
  for (;;) {
    await settled();
    const due = WoundTimer.nextDue();
    if (due >= target) break;
    skip(due - woundMonotonic());
    WoundTimer.fireDue();
  }
  skip(target - woundMonotonic());
  WoundTimer.rearm();
  return woundOffset();
}

/** Calls just begun get their answer first: winding would time them out, and no provider is that slow. */
async function settled(): Promise<void> {
  await turn();
  while (sinceLatestCall() < GRACE) await new Promise((resolve) => waitReal(resolve, 1));
  await turn();
}

/** What is ready is done. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
