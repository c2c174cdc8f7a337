import { MetadataRefreshError, type KeyFault, type KeyRefusal } from '../errors/metadata.errors.js';
import { quote } from '../errors/quote.js';
import { nextTurn } from '../time/event-loop.js';
import type { AlgorithmPolicy } from './algorithms.js';
import { measureMember, type Jwk } from './fingerprint.js';
import type { IssuerMetadata } from './issuer-metadata.js';
import { normalizeJwk } from './normalize-jwk.js';
import { findSecret, parseJwk } from './parse-jwk.js';
import { SigningKey } from './signing-key.js';

/** More members than any issuer has keys: the rest of such a set is not looked at. */
const MAX_MEMBERS = 4096;
/** Microsoft asks for room for 10 to 1000 cached keys over all tenants; one issuer publishes fewer. */
const MAX_KEYS = 256;
/** Members imported in one parse, usable or not: a key of P-521 takes about a millisecond. */
const MAX_IMPORTS = 512;
/** Imports between two turns of the event loop: about 4 ms. */
const IMPORTS_PER_SLICE = 4;
/** Faults that the message of a refused set names. */
const MAX_FAULTS_NAMED = 20;
/** Characters digested between two turns of the event loop: about 4 ms. */
const CHARACTERS_PER_SLICE = 65_536;

/** A member of a key set that is not used, and why. */
export interface SkippedKey extends KeyRefusal {
  readonly fingerprint: string;
  /** As published, unless it holds a secret: another replica may have another use for it. */
  readonly jwk: Readonly<Record<string, unknown>> | undefined;
}

/** A member that is used although it is not written as the specifications ask for. */
export interface NormalizedKey {
  readonly kid: string | undefined;
  /** Names of the members concerned. */
  readonly members: readonly string[];
  readonly fingerprint: string;
}

/** The content of one answer of the JWKS endpoint. */
export interface ParsedKeySet {
  readonly keys: readonly SigningKey[];
  readonly skipped: readonly SkippedKey[];
  readonly normalized: readonly NormalizedKey[];
}

/**
 * Parses a key set: broken, private, weak and foreign members are skipped, the good ones kept, and a key that is in
 * `known` already keeps its object. Large sets are parsed in slices of the event loop, so that no set holds it longer
 * than a few milliseconds; a set of up to four new keys is parsed at once.
 *
 * @throws {MetadataRefreshError} when it is no key set, or no member can verify a token
 */
export async function parseKeySet(
  document: unknown,
  policy: AlgorithmPolicy,
  known: IssuerMetadata | undefined,
): Promise<ParsedKeySet> {
  const published = membersOf(document)['keys'];
  if (!Array.isArray(published))
    throw new MetadataRefreshError('no-usable-key', 'The answer is not a key set');
  const parser = new KeySetParser(policy, known);
  let importsBefore = 0;
  let characters = 0;
  for (const member of (published as readonly unknown[]).slice(0, MAX_MEMBERS)) {
    const isSliceFull = parser.imports - importsBefore >= IMPORTS_PER_SLICE;
    if (isSliceFull || characters >= CHARACTERS_PER_SLICE) {
      await nextTurn();
      importsBefore = parser.imports;
      characters = 0;
    }
    characters += parser.add(member);
  }
  return parser.result();
}

/** Collects what the members of one set amount to. */
class KeySetParser {
  readonly #policy: AlgorithmPolicy;
  readonly #known: ReadonlyMap<string, SigningKey>;
  readonly #keys = new Map<string, SigningKey>();
  readonly #skipped: SkippedKey[] = [];
  readonly #normalized: NormalizedKey[] = [];
  /** Members imported so far. */
  imports = 0;

  constructor(policy: AlgorithmPolicy, known: IssuerMetadata | undefined) {
    this.#policy = policy;
    this.#known = new Map(known?.keys.map((key) => [key.fingerprint, key]));
  }

  /** Parses one member. @returns its length in characters */
  add(member: unknown): number {
    const { characters, jwk: published, fingerprint } = measureMember(member);
    const { jwk, normalized } = normalizeJwk(published ?? {});
    const kid = kidOf(member);
    const parsed = published ? this.#parse(published, fingerprint) : 'malformed';
    if (parsed instanceof SigningKey) {
      this.#keys.set(fingerprint, parsed);
      if (normalized.length > 0) this.#normalized.push({ kid, members: normalized, fingerprint });
    } else {
      const isPublic = published && Object.keys(published).length > 0 && !findSecret(jwk);
      this.#skipped.push({ kid, fault: parsed, fingerprint, jwk: isPublic ? published : undefined });
    }
    return characters;
  }

  /** @throws {MetadataRefreshError} when no member can verify a token */
  result(): ParsedKeySet {
    if (this.#keys.size > 0)
      return { keys: [...this.#keys.values()], skipped: this.#skipped, normalized: this.#normalized };
    const faults = this.#skipped
      .slice(0, MAX_FAULTS_NAMED)
      .map(({ kid, fault }) => `${quote(kid)}: ${fault}`);
    const named = faults.length > 0 ? ` (by kid, ${faults.join('; ')})` : ', it is empty';
    throw new MetadataRefreshError(
      'no-usable-key',
      `The key set holds no key that can verify an access token${named}`,
      { skipped: this.#skipped },
    );
  }

  #parse(published: Jwk, print: string): SigningKey | KeyFault {
    const key = this.#keys.get(print) ?? this.#known.get(print);
    if (key) return key;
    if (this.#keys.size >= MAX_KEYS || this.imports >= MAX_IMPORTS) return 'too-many';
    const parsed = parseJwk(published, print, this.#policy);
    const wasImported = parsed instanceof SigningKey || parsed === 'malformed' || parsed === 'weak';
    if (wasImported) this.imports++;
    return parsed;
  }
}

function kidOf(member: unknown): string | undefined {
  if (typeof member !== 'object' || member === null || !('kid' in member)) return undefined;
  return typeof member.kid === 'string' ? member.kid : undefined;
}

function membersOf(document: unknown): Jwk {
  return typeof document === 'object' && document !== null ? { ...document } : {};
}
