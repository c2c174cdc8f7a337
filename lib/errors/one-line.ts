/** Characters kept of one text. */
const MAX_LENGTH = 1000;

/**
 * Makes text of foreign origin part of a message: one line, bounded, without the control and format characters that break
 * a line, hide text or change its direction (CWE-117, CVE-2021-42574).
 */
export function oneLine(text: string, length = MAX_LENGTH): string {
  const line = text.slice(0, length).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
  return text.length > length ? `${line}…` : line;
}
