import { BlockList, isIPv6 } from 'node:net';
import { assertNotAwaited } from '../../authentication/thenable.js';
import type { HttpRequestLike } from '../../authentication/credentials.js';
import type { HeaderCertificateOptions } from '../../features/mtls-options.js';
import { parseNetwork } from '../../options/module/network.js';

/** Whether a request comes from a proxy whose header counts. */
export type ProxyTest = (http: HttpRequestLike) => boolean;

/** Returns the test for the option `trustedProxies`. */
export function proxyTest(trusted: HeaderCertificateOptions['trustedProxies']): ProxyTest {
  if (typeof trusted === 'function') return (http) => isExactlyTrue(trusted(http));
  const networks = new BlockList();
  for (const text of trusted) {
    const network = parseNetwork(text);
    if (network) networks.addSubnet(network.address, network.prefix, network.family);
  }
  return (http) => {
    const address = remoteAddressOf(http);
    // BlockList counts IPv4-mapped addresses as IPv4.
    return address !== undefined && networks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  };
}

/** As with policies, only `true` is a yes: a promise would trust every sender. */
function isExactlyTrue(verdict: unknown): boolean {
  assertNotAwaited(verdict, 'mtls.trustedProxies');
  return verdict === true;
}

/** Of the connection itself: `X-Forwarded-For` is the sender's to write. Without the zone of a link-local address. */
function remoteAddressOf({ raw, socket }: HttpRequestLike): string | undefined {
  const connection: unknown = raw ? raw.socket : socket;
  if (typeof connection !== 'object' || connection === null) return undefined;
  const address: unknown = Reflect.get(connection, 'remoteAddress');
  return typeof address === 'string' ? address.split('%')[0] : undefined;
}
