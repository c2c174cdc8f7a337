import { Controller, ForbiddenException, Get, Injectable, UseGuards } from '@nestjs/common';
import { AuthorizedGuard } from 'nestjs-resilient-auth';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { platforms } from '../support/platforms.js';
import { bootApp } from '../support/security-app.js';

@Controller('plain')
class PlainController {
  @Get()
  get(): string {
    return 'the secret';
  }
}

/** A query of a database library: runs when it is waited for, and is no `Promise`. */
const refusing = (asked: () => void) => ({
  // oxlint-disable-next-line unicorn/no-thenable -- the queries of many a database library are like this
  then(_resolve: unknown, reject: (reason: unknown) => void): void {
    asked();
    reject(new ForbiddenException('account is blocked'));
  },
});

/** The same behind a proxy that answers reads and nothing else. */
const hidden = (query: object) => new Proxy({}, { get: (_target, name) => Reflect.get(query, name) });

/** SECURITY-CHECKLIST 1L, L2. */
describe.each(platforms)('handleRequest of a subclass, on $platform', ({ create }) => {
  it.each([
    ['a query', (asked: () => void): object => refusing(asked)],
    ['a query behind a proxy', (asked: () => void): object => hidden(refusing(asked))],
  ])('[L2] is waited for when it returns %s, and refuses with it', async (_, query) => {
    let asked = 0;
    @Injectable()
    class BlockingGuard extends AuthorizedGuard {
      // oxlint-disable-next-line typescript/no-explicit-any -- Nest's own type of it knows no query
      override handleRequest(error: unknown, user: unknown, info: unknown): any {
        super.handleRequest(error, user, info);
        return query(() => (asked += 1));
      }
    }
    @UseGuards(BlockingGuard)
    @Controller('blocked')
    class BlockedController extends PlainController {}
    const { issuer, app } = await bootApp({ controllers: [BlockedController] }, {}, create);
    const token = await issuer.sign();
    for (const time of [1, 2, 3]) {
      const answer = await request(app.getHttpServer())
        .get('/blocked')
        .set('Authorization', `Bearer ${token}`);
      expect(answer.status).toBe(403);
      expect(answer.text).not.toContain('the secret');
      expect(asked).toBe(time);
    }
  });
});
