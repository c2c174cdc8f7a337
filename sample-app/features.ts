import type { Feature } from './feature.js';
import { health } from './health/health.module.js';
import { orders } from './orders/orders.module.js';

/** Everything the sample shows, in the order of the printed help. A new feature is a folder and one line here. */
export const features: readonly Feature[] = [orders, health];
