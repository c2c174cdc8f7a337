import { Controller, Get, Head, Sse, StreamableFile, type MessageEvent } from '@nestjs/common';
import { Authorized, CurrentUser } from 'nestjs-resilient-auth';
import { ManualClock, TestIssuer } from 'nestjs-resilient-auth/testing';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { finalize, map, Subject, type Observable } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TokenWatcher } from '../../lib/authentication/watch/token-watcher.js';
import { platforms } from '../support/apps/platforms.js';
import { startApi, startIssuer } from '../support/apps/start-api.js';
import { until } from '../support/clock/until.js';

const events = new Subject<string>();
let isSubscribed = false;

function stream(): Observable<MessageEvent> {
  isSubscribed = true;
  return events.pipe(
    map((data) => ({ data })),
    finalize(() => (isSubscribed = false)),
  );
}

@Authorized()
@Controller('streams')
class StreamsController {
  @Sse('plain')
  plain(): Observable<MessageEvent> {
    return stream();
  }

  @Authorized({ onExpiry: 'end' })
  @Sse('ending')
  ending(@CurrentUser('sub') _subject: string): Observable<MessageEvent> {
    return stream();
  }

  @Get('file')
  file(): StreamableFile {
    return new StreamableFile(Buffer.from('secret'));
  }

  @Authorized({ onExpiry: 'end' })
  @Get('value')
  value(): object {
    return { value: 1 };
  }

  @Head('head')
  head(): void {}
}

/** A connection to a route, and the text that has arrived on it. */
class Listener {
  text = '';
  isOver = false;

  private constructor(readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (this.text += chunk));
    response.on('end', () => (this.isOver = true));
    response.on('error', () => (this.isOver = true));
    onTestFinished(() => void response.destroy());
  }

  static open(port: number, path: string, token?: string): Promise<Listener> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port, path, headers }, (response) => resolve(new Listener(response))).on(
        'error',
        reject,
      );
    });
  }
}

describe.each(platforms)('streams over HTTP on $platform', ({ create }) => {
  async function start() {
    const clock = new ManualClock();
    const issuer = await TestIssuer.start({ audience: 'api', alg: 'ES256', clock });
    onTestFinished(() => issuer.close());
    const api = await startApi(create, issuer.options(), { controllers: [StreamsController], clock });
    await api.app.listen(0, '127.0.0.1');
    const { port }: AddressInfo = api.app.getHttpServer().address();
    return { api, clock, issuer, port };
  }

  it('[S1] answers 401 before any byte of a stream when there is no token', async () => {
    const { port } = await start();
    for (const path of ['/streams/plain', '/streams/ending']) {
      const { response } = await Listener.open(port, path);
      expect(response.statusCode).toBe(401);
      expect(response.headers['content-type']).toContain('application/json');
      expect(response.headers['www-authenticate']).toBe('Bearer');
      expect(isSubscribed).toBe(false);
    }
  });

  it('[S2] ends the stream at exp with a last event auth, and leaves nothing behind', async () => {
    const { api, clock, issuer, port } = await start();
    const listener = await Listener.open(port, '/streams/ending', await issuer.sign({}, { expiresIn: '5m' }));
    await until(() => isSubscribed);
    events.next('first');
    await until(() => listener.text.includes('data: first'));
    await clock.advance('6m');
    await until(() => listener.isOver);
    expect(listener.text).toContain('event: auth');
    expect(listener.text).toContain('data: {"errorCode":"AUTH_TOKEN_EXPIRED"}');
    expect(isSubscribed).toBe(false);
    expect(api.app.get(TokenWatcher).size).toBe(0);
  });

  it('[S2] ends the stream when its key is withdrawn', async () => {
    const { api, issuer, port } = await start();
    const listener = await Listener.open(port, '/streams/ending', await issuer.sign({}));
    await until(() => isSubscribed);
    await issuer.rotateKeys({ keepOld: false });
    await api.get('/streams/value', await issuer.sign({})).expect(200);
    await until(() => listener.isOver);
    expect(listener.text).toContain('data: {"errorCode":"AUTH_TOKEN_SIGNATURE_INVALID"}');
  });

  it("[S2] rejects the boot when an override of a stream with onExpiry: 'end' would not end", async () => {
    @Authorized()
    @Controller('overriding')
    class OverridingController extends StreamsController {
      @Sse('ending')
      override ending(): Observable<MessageEvent> {
        return stream();
      }

      @Get('value')
      override value(): object {
        return {};
      }
    }
    const issuer = await startIssuer();
    const settings = { controllers: [OverridingController] };
    await expect(startApi(create, issuer.options(), settings)).rejects.toThrow(
      /OverridingController\.ending .*onExpiry: 'end'/,
    );
  });

  it('[S2] ends the stream of an override when its class is decorated', async () => {
    @Authorized({ onExpiry: 'end' })
    @Controller('overriding')
    class OverridingController extends StreamsController {
      @Sse('ending')
      override ending(): Observable<MessageEvent> {
        return stream();
      }
    }
    const issuer = await startIssuer();
    const api = await startApi(create, issuer.options(), { controllers: [OverridingController] });
    await api.app.listen(0, '127.0.0.1');
    const { port }: AddressInfo = api.app.getHttpServer().address();
    const listener = await Listener.open(port, '/overriding/ending', await issuer.sign({}));
    await until(() => isSubscribed);
    await issuer.rotateKeys({ keepOld: false });
    await api.get('/overriding/value', await issuer.sign({})).expect(200);
    await until(() => listener.isOver);
    expect(listener.text).toContain('event: auth');
  });

  it('[S2] stops watching when the client goes', async () => {
    const { api, issuer, port } = await start();
    const listener = await Listener.open(port, '/streams/ending', await issuer.sign({}));
    const watcher = api.app.get(TokenWatcher);
    await until(() => watcher.size === 1);
    listener.response.destroy();
    await until(() => watcher.size === 0);
  });

  it('keeps the stream at exp when onExpiry is not given', async () => {
    const { clock, issuer, port } = await start();
    const listener = await Listener.open(port, '/streams/plain', await issuer.sign({}, { expiresIn: '5m' }));
    await until(() => isSubscribed);
    await clock.advance('6m');
    events.next('late');
    await until(() => listener.text.includes('data: late'));
  });

  it('[S3] answers 401 to HEAD, downloads and plain values without a token, and serves them with one', async () => {
    const { api, issuer, port } = await start();
    const token = await issuer.sign({});
    for (const path of ['/streams/file', '/streams/value']) {
      const { response } = await Listener.open(port, path);
      expect(response.statusCode).toBe(401);
    }
    const file = await Listener.open(port, '/streams/file', token);
    await until(() => file.isOver);
    expect(file.text).toBe('secret');
    expect((await api.get('/streams/value', token)).body).toEqual({ value: 1 });
    const head = (headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${port}/streams/head`, { method: 'HEAD', headers });
    expect((await head({})).status).toBe(401);
    expect((await head({ authorization: `Bearer ${token}` })).status).toBe(200);
  });
});
