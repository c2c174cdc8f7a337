import { AuthConfigurationError, toHttpException, TokenRejectedError } from 'nestjs-resilient-auth';
import { afterEach, describe, expect, it } from 'vitest';
import { explanation, withoutStackTrace } from '../../../lib/errors/without-stack-trace.js';

const { stackTraceLimit } = Error;
afterEach(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

/** The lines of the stack trace of an error. */
function frames({ stack }: Error): string[] {
  return stack?.match(/^ {4}at /gm) ?? [];
}

describe('an error of this library', () => {
  it('leaves out the stack trace of refusals, their causes and their exceptions', () => {
    const error = new TokenRejectedError('no', { cause: explanation('why') });
    expect(frames(error)).toEqual([]);
    expect(error.cause).toMatchObject({ message: 'why' });
    expect(frames(explanation('why'))).toEqual([]);
    expect(frames(toHttpException(error))).toEqual([]);
  });

  it('keeps the stack trace of a mistake in the configuration, which starts where it was made', () => {
    const [first] = new AuthConfigurationError('wrong').stack?.match(/^ {4}at .*$/m) ?? [];
    expect(first).toContain('without-stack-trace.spec');
  });

  it('keeps the stack trace of every other error', () => {
    Error.stackTraceLimit = 3;
    expect(frames(new TokenRejectedError())).toEqual([]);
    withoutStackTrace(() => new Error());
    expect(Error.stackTraceLimit).toBe(3);
    expect(frames(new Error())).toHaveLength(3);
  });

  it('keeps the limit of stack traces when the error cannot be made', () => {
    const message = {
      toString(): never {
        throw new RangeError();
      },
    };
    expect(() => Reflect.construct(TokenRejectedError, [message])).toThrow(RangeError);
    expect(() =>
      withoutStackTrace(() => {
        throw new RangeError();
      }),
    ).toThrow(RangeError);
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });

  it('keeps stack traces where the application has frozen Error', () => {
    Object.defineProperty(Error, 'stackTraceLimit', { value: stackTraceLimit, writable: false });
    try {
      expect(frames(new TokenRejectedError()).length).toBeGreaterThan(0);
    } finally {
      Object.defineProperty(Error, 'stackTraceLimit', { value: stackTraceLimit, writable: true });
    }
  });
});
