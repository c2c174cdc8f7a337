import { isIP } from 'node:net';

/** A network in CIDR notation; a single address is one with the full prefix. */
export interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

const PREFIX = /^[1-9]\d{0,2}$/;

/** Parses an address or network; `undefined` for anything else, and for every address (`/0`). */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || rest.length > 0) return undefined;
  const full = version === 4 ? 32 : 128;
  const prefix = length === undefined ? full : PREFIX.test(length) ? Number(length) : 0;
  if (prefix < 1 || prefix > full) return undefined;
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}
