import { EventEmitter } from 'node:events';
import { RequestInvalidError } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { singleRawHeader } from '../../../lib/authentication/http/raw-header.js';
import { HttpCredentials } from '../../../lib/authentication/http-credentials.js';

describe('singleRawHeader', () => {
  const rawHeaders = ['DPoP', 'a', 'Host', 'dpop', 'X', 'b', 'x', 'c'];

  it('returns the value of a header in any case, from the raw list alone', () => {
    expect(singleRawHeader({ rawHeaders }, 'dpop')).toBe('a');
    expect(singleRawHeader({ raw: { rawHeaders } }, 'host')).toBe('dpop');
    expect(singleRawHeader({ headers: {} }, 'dpop')).toBeUndefined();
  });

  it('[P0-3] throws RequestInvalidError when the header comes twice', () => {
    expect(() => singleRawHeader({ rawHeaders }, 'x')).toThrow(RequestInvalidError);
  });
});

describe('HttpCredentials.closed', () => {
  const closedOf = (request: object) => new HttpCredentials(request).closed;

  it('aborts when the connection closes: one signal for all its requests, one listener', () => {
    const socket = new EventEmitter();
    const [one, two] = [closedOf({ socket }), closedOf({ raw: { socket } })];
    expect(one).toBe(two);
    expect(socket.listenerCount('close')).toBe(1);
    expect(one?.aborted).toBe(false);
    socket.emit('close');
    expect(two?.aborted).toBe(true);
  });

  it('aborts when the stream of an HTTP/2 request closes, and not with its connection', () => {
    const [stream, socket] = [new EventEmitter(), new EventEmitter()];
    const closed = closedOf({ stream, socket });
    socket.emit('close');
    expect(closed?.aborted).toBe(false);
    stream.emit('close');
    expect(closed?.aborted).toBe(true);
  });

  it('returns an aborted signal when the connection has closed before', () => {
    expect(closedOf({ socket: Object.assign(new EventEmitter(), { destroyed: true }) })?.aborted).toBe(true);
  });

  it('returns undefined when there is no connection', () => {
    for (const request of [{}, { socket: null }, { socket: {} }]) expect(closedOf(request)).toBeUndefined();
  });
});
