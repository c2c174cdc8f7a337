/** Characters of a quoted value; the rest is cut off. */
const MAX_CHARACTERS = 120;
const MAX_ITEMS = 5;

/**
 * Quotes a value of a document, a token or an option for a message: one line, bounded, printable ASCII, so that neither a
 * line break nor a bidirectional control forges a log line (CWE-117). Text and lists of text are quoted; of anything
 * else only the kind is named.
 */
export function quote(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') return quoteText(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (!Array.isArray(value)) return `a value of type ${typeof value}`;
  if (value.length === 0) return 'an empty list';
  const items = value.slice(0, MAX_ITEMS).map((item) => (Array.isArray(item) ? 'a list' : quote(item)));
  const rest = value.length - items.length;
  return rest > 0 ? `${items.join(', ')} and ${rest} more` : items.join(', ');
}

function quoteText(text: string): string {
  const shown = text.slice(0, MAX_CHARACTERS).replace(/[^\x20-\x7e]|'/g, escape);
  return text.length > MAX_CHARACTERS ? `'${shown}…'` : `'${shown}'`;
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
