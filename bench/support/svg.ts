/** The colours of text in every picture of the benches. */
export const INK = '#1c2430';
export const QUIET = '#5b6472';

export interface TextStyle {
  readonly size?: number;
  readonly weight?: number;
  readonly anchor?: string;
  readonly fill?: string;
}

/** One line of text. */
export function text(
  x: number,
  y: number,
  words: string,
  { size = 13, weight = 400, anchor = 'start', fill = INK }: TextStyle,
): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" fill="${fill}">${escaped}</text>`;
}

/** To a tenth of a pixel, which is all that a reader can see. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
