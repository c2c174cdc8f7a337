import { IntrinsicException, Logger, type ExecutionContext } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/internal';
import { EventPattern, KafkaContext, RpcException } from '@nestjs/microservices';
import { AuthConfigurationError, RequestInvalidError, TokenMissingError } from 'nestjs-resilient-auth';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MicroserviceContext } from '../../lib/microservices/microservice.context.js';

class Handlers {
  @EventPattern('created')
  created(_data: unknown): void {}

  message(): void {}
}

function contextOf(args: unknown[], method: 'created' | 'message' = 'message'): ExecutionContext {
  const context = new ExecutionContextHost(args, Handlers, Reflect.get(Handlers.prototype, method));
  context.setType('rpc');
  return context;
}

/** Made as Nest's server makes it; there is no Kafka on this machine. */
function kafka(headers: Record<string, unknown>): KafkaContext {
  return Reflect.construct(KafkaContext, [[{ headers, value: null }, 0, 'orders']]);
}

const missing = {
  error: new TokenMissingError(),
  status: 401,
  description: 'Authentication is required',
  challenges: [],
  headers: {},
} as const;

describe('MicroserviceContext', () => {
  const clock = new ManualClock();
  const auth = new MicroserviceContext(undefined, clock);

  it.each([
    ['bytes', { Authorization: Buffer.from('Bearer x') }, 'Bearer x'],
    ['a string', { authorization: 'Bearer x' }, 'Bearer x'],
    [
      'several',
      { authorization: [Buffer.from('Bearer x'), 'Bearer y'] },
      [Buffer.from('Bearer x'), 'Bearer y'],
    ],
    ['two spellings', { authorization: 'Bearer x', Authorization: 'Bearer y' }, ['Bearer x', 'Bearer y']],
    ['none', { 'x-user': 'alice' }, undefined],
  ])('reads the headers of Kafka when they hold %s', (_, headers, authorization) => {
    expect(auth.credentialsOf(contextOf([{}, kafka(headers)]))).toMatchObject({ authorization });
  });

  it.each([
    ['no context', [{ authorization: 'Bearer x' }]],
    ['a payload that looks like a context', [{}, { args: [], getHeaders: 'x' }]],
    ['a payload with metadata', [{ metadata: { authorization: 'Bearer x' } }, {}]],
  ])('throws AuthConfigurationError when called with %s', (_, args) => {
    expect(() => auth.operationOf(contextOf(args))).toThrow(AuthConfigurationError);
  });

  it('throws RequestInvalidError when the payload is not of the form that the option payload reads', () => {
    const reading = new MicroserviceContext((data) => {
      if (typeof data !== 'object' || data === null) throw new TypeError('of the application');
      return String(Reflect.get(data, 'token'));
    }, clock);
    const read = (data: unknown) => reading.credentialsOf(contextOf([data, kafka({})]));
    expect(read({ token: 'a' })).toMatchObject({ authorization: 'Bearer a' });
    expect(() => read(null)).toThrow(RequestInvalidError);
    expect(() => read(undefined)).toThrow(RequestInvalidError);
  });

  it('returns an RpcException for a message, and never the payload', () => {
    const error = auth.toException(missing, contextOf([{ secret: 's' }, kafka({})]));
    expect(error).toBeInstanceOf(RpcException);
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  it('[M5] logs one warning a minute with the count when events are refused', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    onTestFinished(() => warn.mockRestore());
    const refuse = () => auth.toException(missing, contextOf([{}, kafka({})], 'created'));
    for (let i = 0; i < 100; i++) expect(refuse()).toBeInstanceOf(IntrinsicException);
    expect(warn).toHaveBeenCalledTimes(1);
    await clock.advance('61s');
    await refuse();
    expect(warn).toHaveBeenCalledTimes(2);
    expect(warn.mock.lastCall?.[0]).toContain('100 events');
  });
});
