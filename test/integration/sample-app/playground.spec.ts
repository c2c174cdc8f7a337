import { get as httpGet, type IncomingMessage } from 'node:http';
import type { NestExpressApplication } from '@nestjs/platform-express';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../../sample-app/create-app.js';
import type { PlaygroundState } from '../../../sample-app/playground/playground.state.js';
import { startPlayground, type Playground } from '../../../sample-app/playground/start-playground.js';

describe('the playground', () => {
  let playground: Playground;
  let app: NestExpressApplication;

  beforeAll(async () => {
    playground = await startPlayground({ providerPort: 0 });
    // The load, both APIs and their provider share this process: on a busy machine an exchange may take seconds, and one
    // that is given up would count as a refusal of the library.
    const metadata = { ...playground.issuer.metadata, timeout: '10s', refreshWait: '20s' };
    app = await createApp({ ...playground.issuer, metadata }, { logger: false }, [playground.module]);
    await app.listen(0, '127.0.0.1');
    await playground.open(app);
  });
  afterAll(async () => {
    await app.close();
    await playground.close();
  });

  const get = (path: string) => request(app.getHttpServer()).get(path);
  const post = (path: string) => request(app.getHttpServer()).post(path).set('X-Playground', '1');
  const act = (name: string) => post(`/playground/actions/${name}`).expect(204);

  /** Reads the stream of states until one of them fits. */
  async function stateThat(fits: (state: PlaygroundState) => boolean): Promise<PlaygroundState> {
    const url = `${await app.getUrl()}/playground/events`;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      httpGet(url, resolve).once('error', reject);
    });
    try {
      for await (const state of readStates(response)) {
        if (fits(state)) return state;
      }
      throw new Error('The stream ended before a state fitted');
    } finally {
      response.destroy();
    }
  }

  /** Waits until every request is answered, and leaves the load on. */
  async function stateWithAllAnswers(): Promise<PlaygroundState> {
    await act('load-off');
    const state = await stateThat(({ sides }) => sides.library.totals.waiting === 0);
    await act('load-on');
    return state;
  }

  const sign = async (claims: object, signer = 'provider'): Promise<string> => {
    const { body } = await post('/playground/tokens').send({ claims, signer }).expect(200);
    return body.token;
  };
  const call = (path: string, token: string) => get(path).set('Authorization', `Bearer ${token}`);

  describe('its page', () => {
    it('[E5] returns HTML with a strict policy when the root is requested', async () => {
      const { headers, text } = await get('/')
        .expect(200)
        .expect('Content-Type', /text\/html/);

      const policy = headers['content-security-policy'];
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(text).not.toMatch(/https?:|<style| style=| on[a-z]+=|<script>/);
    });

    it('[E5] returns every file that it refers to, less than 60 KiB in total, when they are requested', async () => {
      const files = new Set(['/']);
      let size = 0;
      for (const file of files) {
        const { body, text } = await get(file).expect(200);
        const content = text ?? String(body);
        size += content.length;
        for (const [, name] of content.matchAll(/(?:files\/|from '\.\/)([a-z-]+\.(?:js|css|svg))/g)) {
          files.add(`/playground/files/${name}`);
        }
      }
      expect(files.size).toBeGreaterThan(8);
      expect(size).toBeLessThan(60 * 1024);
    });

    it('[E5] answers 404 when a file is not one of the page', async () => {
      await get('/playground/files/..%2f..%2fplayground.module.js').expect(404);
      await get('/playground/files/constructor').expect(404);
    });
  });

  describe('its requests', () => {
    it('[E5] answers 403 when a POST lacks the header of the playground', async () => {
      await request(app.getHttpServer()).post('/playground/actions/rotate').expect(403);
      await request(app.getHttpServer()).post('/playground/tokens').send({}).expect(403);
    });

    it('[E5] answers 403 when the Host is not loopback', async () => {
      await get('/').set('Host', 'playground.example').expect(403);
      await get('/playground/events').set('Host', 'playground.example:3000').expect(403);
      await get('/').set('Host', 'localhost:3000').expect(200);
    });

    it('[E5] answers 404 when the action does not exist', async () => {
      await post('/playground/actions/explode').expect(404);
      await post('/playground/actions/constructor').expect(404);
    });
  });

  describe('under load', () => {
    it('[E5] returns no refused request of the library when keys rotate with and without overlap', async () => {
      await stateThat(({ sides }) => sides.library.totals.accepted > 20);
      await act('rotate');
      await act('rotate-without-overlap');

      // Of the library alone: tokens of the withdrawn keys may have used up the key set requests of the recipe.
      const { timeline } = await stateThat(
        ({ timeline: [newest] }) =>
          newest?.steps.some(({ side, text }) => side === 'library' && text === 'new key accepted') === true,
      );
      expect(timeline[0]?.title).toBe('New signing key, all others withdrawn');
      const { sides } = await stateWithAllAnswers();
      expect(sides.library.totals).toMatchObject({ refused: 0, passed: 0, waiting: 0 });
    });

    it('[E5] returns refused requests of the recipe only when a kid is reused', async () => {
      // A wrong signature does not spend the last three refreshes of the budget.
      await stateThat(({ snapshot }) => snapshot.budget.available > 3);
      await act('reset');
      await act('reuse-kid');

      const { sides } = await stateThat(
        ({ sides: { library, recipe } }) => recipe.totals.refused > 20 && library.totals.accepted > 20,
      );
      expect(sides.library.totals.refused).toBe(0);
      // It has the key, and the signature is by another.
      expect(sides.recipe.totals.rateLimited).toBe(0);
    });

    it('[E5] returns forged tokens as refused when a flood runs', async () => {
      await act('reset');
      await act('flood-on');

      const { sides, load } = await stateThat(({ sides }) => sides.library.totals.stopped > 50);
      await act('flood-off');
      expect(load.isFlooding).toBe(true);
      expect(sides.library.totals).toMatchObject({ refused: 0, passed: 0 });
    });

    it('[E5] counts refusals by the rate limit of the recipe apart when the provider rotates in a flood', async () => {
      await act('reset');
      await act('flood-on');
      await stateThat(({ sides }) => sides.recipe.totals.stopped > 50);
      await act('rotate-without-overlap');

      const { timeline, sides } = await stateThat(({ sides }) => sides.recipe.totals.rateLimited > 20);
      await act('flood-off');
      expect(sides.recipe.totals.refused).toBeGreaterThanOrEqual(sides.recipe.totals.rateLimited);
      expect(timeline[0]?.steps.map(({ text }) => text)).toContain(
        'new key refused: 401, by its own rate limit',
      );
      expect(sides.library.totals).toMatchObject({ refused: 0, rateLimited: 0 });
    });

    it.each(['down', 'hang', 'html', 'slow', 'none'])(
      '[E5] returns the state of the provider when it is set to %s',
      async (fault) => {
        await act(`provider-${fault}`);

        const { provider } = await stateThat(() => true);
        expect(provider.fault).toBe(fault);
      },
    );

    it('[E5] returns the keys of library and provider when the next one is published and old ones are withdrawn', async () => {
      await act('announce');
      const { provider } = await stateThat(({ snapshot, provider: { keys } }) =>
        keys.every(({ kid }) => snapshot.keyIds.includes(kid)),
      );
      expect(provider.keys.map(({ use }) => use)).toContain('announced');

      await act('rotate');
      await act('withdraw');
      const after = await stateThat(({ snapshot }) => snapshot.keyIds.length === 1);
      expect(after.provider.keys).toEqual([{ kid: after.snapshot.keyIds[0], use: 'signs' }]);
    });

    it('[E5] returns an unchanged total when the load is off', async () => {
      await act('load-off');
      const before = await stateThat(({ sides }) => sides.library.totals.waiting === 0);
      await act('reset');
      const after = await stateThat(({ now }) => now > before.now);
      await act('load-on');

      expect(after.load.isOn).toBe(false);
      expect(after.sides.library.totals.accepted).toBe(0);
    });
  });

  describe('its token panel', () => {
    it('[E5] returns a token that its route accepts when the provider signs', async () => {
      await call('/orders', await sign({ sub: 'alice' })).expect(200);
      await call('/admin/stats', await sign({ roles: ['admin'] })).expect(200);
    });

    it.each([
      ['provider', { scope: 'profile' }, 403, 'AUTH_SCOPE_MISSING'],
      ['provider', { exp: 1 }, 401, 'AUTH_TOKEN_EXPIRED'],
      ['provider', { exp: null }, 401, 'AUTH_TOKEN_CLAIM_INVALID'],
      ['provider', { aud: 'other' }, 401, 'AUTH_TOKEN_AUDIENCE_MISMATCH'],
      ['unknown-key', {}, 401, 'AUTH_TOKEN_SIGNATURE_INVALID'],
      ['forged', {}, 401, 'AUTH_TOKEN_SIGNATURE_INVALID'],
      ['unsigned', {}, 401, 'AUTH_TOKEN_MALFORMED'],
    ])(
      '[E5] returns a token by %s with %j that its route answers with %i',
      async (signer, claims, status, errorCode) => {
        const { body } = await call('/orders', await sign(claims, signer)).expect(status);

        expect(body.errorCode).toBe(errorCode);
      },
    );

    it('[E5] answers 400 when the signer or the claims are none', async () => {
      await post('/playground/tokens').send({ claims: {}, signer: 'me' }).expect(400);
      await post('/playground/tokens').send({ claims: 'sub', signer: 'provider' }).expect(400);
    });

    it('[E5] returns the routes of every feature when the panel is shown', async () => {
      const { body } = await get('/playground/routes').expect(200);

      expect(body).toContainEqual({ method: 'GET', path: '/orders', requires: 'scope orders:read' });
    });
  });
});

async function* readStates(response: IncomingMessage): AsyncGenerator<PlaygroundState> {
  let text = '';
  for await (const chunk of response) {
    text += String(chunk);
    const messages = text.split('\n\n');
    text = messages.pop() ?? '';
    for (const message of messages) {
      const data = /^data: (.*)$/m.exec(message)?.[1];
      if (data) yield JSON.parse(data);
    }
  }
}
