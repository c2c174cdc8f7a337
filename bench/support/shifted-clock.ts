import { Socket } from 'node:net';
import { sinceLatestCall } from './outgoing-calls.js';
import { skip, shiftedMonotonic, shiftedNow, clockOffset } from './shifted-time.js';
import { ShiftedTimer } from './shifted-timer.js';

/*
 * A clock that runs at its real pace and can be shifted forward, for code that is unaware of it: importing this module
 * replaces the process's clocks and timers. Hours pass in a moment, and real exchanges keep their real duration.
 *
 * Its limits: Node's own timers in C++ and inside `http.Server` are not moved, nor are `timers/promises`, file times and
 * event-loop statistics; and two processes agree on the order of events only to the size of the steps in which
 * they are shifted.
 */

/** Real milliseconds an exchange on loopback gets before the clock is shifted past it. */
const GRACE = 40;

const RealDate = Date;
const waitReal = setTimeout;
const hrtime = process.hrtime.bind(process);
const performanceNow = performance.now.bind(performance);

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget): object =>
    Reflect.construct(target, args.length === 0 ? [shiftedNow()] : args, newTarget),
  apply: () => new RealDate(shiftedNow()).toString(),
  get: (target, name): unknown => (name === 'now' ? shiftedNow : Reflect.get(target, name)),
});

performance.now = () => performanceNow() + clockOffset();
process.hrtime = Object.assign(
  (before?: [number, number]): [number, number] => {
    const [seconds, nanoseconds] = hrtime();
    const total = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds) + offsetNanoseconds();
    const since = before ? total - (BigInt(before[0]) * 1_000_000_000n + BigInt(before[1])) : total;
    return [Number(since / 1_000_000_000n), Number(since % 1_000_000_000n)];
  },
  { bigint: () => hrtime.bigint() + offsetNanoseconds() },
);

function offsetNanoseconds(): bigint {
  return BigInt(Math.round(clockOffset() * 1e6));
}

const clear: typeof ShiftedTimer.clear = (timer) => ShiftedTimer.clear(timer);
Object.assign(globalThis, {
  setTimeout: (callback: () => void, delay?: number, ...args: unknown[]) =>
    new ShiftedTimer(callback, delay, false, args),
  setInterval: (callback: () => void, delay?: number, ...args: unknown[]) =>
    new ShiftedTimer(callback, delay, true, args),
  clearTimeout: clear,
  clearInterval: clear,
});

AbortSignal.timeout = (delay) => {
  const controller = new AbortController();
  const expire = (): void =>
    controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  new ShiftedTimer(expire, delay, false, []).unref();
  return controller.signal;
};

// The `timeout` of http.request() is one of its socket. A server's own sockets keep their real idle times: the load
// comes in real time.
// oxlint-disable-next-line typescript/unbound-method -- called with its socket below
const realSetTimeout = Socket.prototype.setTimeout;
const idle = new WeakMap<Socket, ShiftedTimer>();
Socket.prototype.setTimeout = function (this: Socket, delay, callback) {
  if ('server' in this && this.server) return realSetTimeout.call(this, delay, callback);
  idle.get(this)?.close();
  if (delay > 0) idle.set(this, idleTimer(this, delay));
  if (callback && delay > 0) this.once('timeout', callback);
  return this;
};

function idleTimer(socket: Socket, delay: number): ShiftedTimer {
  let seen = traffic(socket);
  const timer = new ShiftedTimer(
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
 * Shifts the clock forward, timer by timer; the work each timer starts settles before the next.
 *
 * @returns milliseconds by which the clock has been shifted since the start
 */
export async function advanceBy(milliseconds: number): Promise<number> {
  const target = shiftedMonotonic() + milliseconds;
  for (;;) {
    await settled();
    const due = ShiftedTimer.nextDue();
    if (due >= target) break;
    skip(due - shiftedMonotonic());
    ShiftedTimer.fireDue();
  }
  skip(target - shiftedMonotonic());
  ShiftedTimer.rearm();
  return clockOffset();
}

/** Waits for calls in flight: shifting the clock past them would time them out. */
async function settled(): Promise<void> {
  await turn();
  while (sinceLatestCall() < GRACE) await new Promise((resolve) => waitReal(resolve, 1));
  await turn();
}

/** One turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
