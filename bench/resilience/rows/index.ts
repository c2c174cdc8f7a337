import { hostileAnswers } from './hostile-answers.js';
import { loads } from './loads.js';
import { coldStart, outages } from './outages.js';
import { rollovers } from './rollovers.js';
import type { Row } from './row.js';

/** In the order of the report. */
export const ROWS: readonly Row[] = [...rollovers, ...outages, coldStart, ...loads, ...hostileAnswers];
