import type { Feature } from './feature.js';
import { graphql } from './graphql/graphql.module.js';
import { health } from './health/health.module.js';
import { live } from './live/live.module.js';
import { mcp } from './mcp/mcp.module.js';
import { messages } from './messages/messages.module.js';
import { metrics } from './metrics/metrics.module.js';
import { openApi } from './openapi/open-api.js';
import { orders } from './orders/orders.module.js';
import { payments } from './payments/payments.module.js';
import { refunds } from './refunds/refunds.module.js';

/** Everything the sample shows, in the order of the printed help. A new feature is a folder and one line here. */
export const features: readonly Feature[] = [
  orders,
  refunds,
  payments,
  graphql,
  live,
  messages,
  mcp,
  health,
  metrics,
  openApi,
];
