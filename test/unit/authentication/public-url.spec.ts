import { AuthConfigurationError, type HttpRequestLike } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { publicUrlReader } from '../../../lib/authentication/http/public-url.js';

const forged = {
  headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' },
  rawHeaders: ['Host', 'evil.example', 'X-Forwarded-Host', 'evil.example'],
  url: 'http://evil.example/',
};

describe('publicUrlReader', () => {
  it.each([
    ['https://api.example.com', 'https://api.example.com', '/'],
    ['https://api.example.com/', 'https://api.example.com', '/'],
    ['https://API.example.com:443/v1', 'https://api.example.com', '/v1'],
    ['https://api.example.com:8443/v1/', 'https://api.example.com:8443', '/v1/'],
    ['http://localhost:3000/a%20b', 'http://localhost:3000', '/a%20b'],
  ])(
    '[P0-1] returns %j as it is, with its origin and path, and reads no host off the request',
    (text, origin, pathname) => {
      expect(publicUrlReader(text)(forged)).toEqual({ text, origin, pathname });
    },
  );

  it('[P0-1] returns what the function of the application makes of the request', () => {
    const read = publicUrlReader((request) => new URL(`https://${tenantOf(request)}.example.com/v1`));
    expect(read({ headers: { 'x-tenant': 'a' } }).text).toBe('https://a.example.com/v1');
    expect(read({ headers: { 'x-tenant': 'b' } }).text).toBe('https://b.example.com/v1');
  });

  it.each([
    ['undefined', undefined],
    ['a string', 'https://api.example.com'],
    ['a promise', Promise.resolve(new URL('https://api.example.com'))],
    ['plain http', new URL('http://api.example.com')],
    ['a URL with a query', new URL('https://api.example.com?a=b')],
    ['a URL with a user', new URL('https://a:b@api.example.com')],
    ['another scheme', new URL('ftp://api.example.com')],
  ])('[P0-1] throws AuthConfigurationError when the function returns %s', (_, value) => {
    const read = publicUrlReader(untyped(() => value));
    expect(() => read(forged)).toThrow(AuthConfigurationError);
    expect(() => read(forged)).toThrow(/publicUrl/);
  });

  it('[P0-1] throws AuthConfigurationError, and leaves no rejection behind, when the function is asynchronous and fails', () => {
    const read = publicUrlReader(untyped(() => Promise.reject(new Error('no tenant'))));
    expect(() => read(forged)).toThrow(/publicUrl returned a promise/);
  });

  it('[P0-1] throws AuthConfigurationError with the cause when the function throws', () => {
    const cause = new Error('no tenant');
    const read = publicUrlReader(() => {
      throw cause;
    });
    expect(() => read({})).toThrow(expect.objectContaining({ code: 'AUTH_CONFIGURATION_INVALID', cause }));
  });
});

function tenantOf(request: unknown): string {
  const { headers }: HttpRequestLike & { headers?: { 'x-tenant'?: unknown } } = Object(request);
  return String(headers?.['x-tenant']);
}

/** As from a user without types. */
function untyped(option: () => unknown): (request: unknown) => URL {
  return Object(option);
}
