import type { MetadataEvent } from 'nestjs-resilient-auth';
import type { Tone } from './timeline.js';

/** One step of the time line. */
export interface Described {
  readonly text: string;
  readonly tone: Tone;
}

/**
 * The words of an event for the time line; none for the routine of automatic refreshes.
 *
 * @param cause why tokens do not verify now
 */
export function describeEvent(event: MetadataEvent, cause: string): readonly Described[] {
  switch (event.type) {
    case 'refresh-started':
      return event.trigger === 'on-demand' ? [{ text: cause, tone: 'plain' }] : [];
    case 'refresh-succeeded':
      return event.trigger === 'on-demand' && !event.changed
        ? [{ text: 'refresh: nothing new', tone: 'plain' }]
        : [];
    case 'metadata-changed':
      return describeKeys(event.addedKeyIds, event.withdrawnKeyIds);
    case 'refresh-failed':
      return [{ text: `refresh fails: ${event.error.fault}`, tone: 'warn' }];
    case 'discovery-failed':
      return [{ text: `discovery fails: ${event.error.fault}`, tone: 'warn' }];
    case 'metadata-expired':
      return [{ text: 'last known good keys expired', tone: 'bad' }];
    case 'budget-exhausted':
      return [{ text: 'refresh budget spent: the provider is spared', tone: 'plain' }];
    default:
      return [];
  }
}

/** The first characters of a key id, enough to distinguish keys. */
function shortKeyId(kid: string): string {
  return kid.slice(0, 4);
}

function describeKeys(added: readonly string[], withdrawn: readonly string[]): readonly Described[] {
  const words = [
    ...added.map((kid) => `+ key ${shortKeyId(kid)}`),
    ...withdrawn.map((kid) => `− key ${shortKeyId(kid)}`),
  ];
  return [{ text: `refresh: ${words.join(', ') || 'new key material'}`, tone: 'good' }];
}
