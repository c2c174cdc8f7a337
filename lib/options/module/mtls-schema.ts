import * as v from 'valibot';
import type { CertificateHeader, HeaderCertificateOptions } from '../../features/mtls-options.js';
import { parseNetwork } from './network.js';

const SOURCE = "{ from: 'socket' }, or { from: 'header', preset, trustedProxies }";
const PRESET =
  "'rfc9440', 'nginx', 'envoy', 'aws-alb', 'traefik' or 'cloudflare', or { name, decode } for another header";
const PROXIES =
  "a list of at least one address or network, such as '10.0.0.0/8', or a function of the request; never every address";

const preset = v.union(
  [
    v.picklist(['rfc9440', 'nginx', 'envoy', 'aws-alb', 'traefik', 'cloudflare']),
    v.custom<CertificateHeader>(isCertificateHeader),
  ],
  PRESET,
);

const trustedProxies = v.custom<HeaderCertificateOptions['trustedProxies']>(
  (value) => typeof value === 'function' || isNetworkList(value),
  PROXIES,
);

/** `mtls`: where the certificates of clients are found. */
export const mtlsSchema = v.variant(
  'from',
  [
    v.strictObject({ from: v.literal('socket') }),
    v.strictObject({ from: v.literal('header'), preset, trustedProxies }),
  ],
  SOURCE,
);

/** RFC 9110 §5.1. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;

function isCertificateHeader(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('decode' in value)) return false;
  return typeof value.name === 'string' && HEADER_NAME.test(value.name) && typeof value.decode === 'function';
}

function isNetworkList(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  return value.every((network) => typeof network === 'string' && parseNetwork(network) !== undefined);
}
