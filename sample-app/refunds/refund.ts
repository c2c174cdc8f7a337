import * as v from 'valibot';

/** What a client sends to refund an order. */
export const newRefundSchema = v.strictObject({ order: v.pipe(v.number(), v.integer(), v.minValue(1)) });

export type NewRefund = v.InferOutput<typeof newRefundSchema>;
