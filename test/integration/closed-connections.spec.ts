import { connect } from 'node:net';
import { Controller, Get } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Authorized, AuthModule, MetadataProvider } from 'nestjs-resilient-auth';
import { describe, expect, it, onTestFinished } from 'vitest';
import { platforms } from '../support/apps/platforms.js';
import { startIssuer } from '../support/apps/start-api.js';
import { until } from '../support/clock/until.js';

@Authorized()
@Controller('orders')
class OrdersController {
  @Get()
  list(): string {
    return 'listed';
  }
}

describe.each(platforms)('requests whose client closes the connection, on $platform', ({ create }) => {
  it('removes them from the wait queue, and keeps the request of another client', async () => {
    const issuer = await startIssuer();
    const imports = [
      AuthModule.forRoot(issuer.options({ metadata: { timeout: '30s', refreshWait: '60s' } })),
    ];
    const app = await create(Test.createTestingModule({ imports, controllers: [OrdersController] }));
    onTestFinished(() => app.close());
    await app.listen(0, '127.0.0.1');
    const { port }: { port: number } = app.getHttpServer().address();
    const provider = app.get(MetadataProvider);
    const waiting = () => provider.status().waiting;
    issuer.fail({ mode: 'hang' });
    const token = await issuer.sign({}, { kid: (await issuer.rotateKeys({ keepOld: true })).kid });
    const send = (count: number) => {
      const socket = connect(port, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      const request = `GET /orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`;
      socket.write(request.repeat(count));
      return socket;
    };
    const attacker = send(50);
    await until(() => waiting() > 0);
    const before = waiting();
    send(1);
    await until(() => waiting() === before + 1);
    attacker.destroy();
    await until(() => waiting() === 1);
    expect(waiting()).toBe(1);
  });
});
