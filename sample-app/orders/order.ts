import * as v from 'valibot';

export interface Order {
  readonly id: number;
  readonly item: string;
  readonly quantity: number;
  /** `sub` of the token it was placed with. */
  readonly placedBy: string;
}

/** What a client sends to place an order. */
export const newOrderSchema = v.strictObject({
  item: v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(100)),
  quantity: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
});

export type NewOrder = v.InferOutput<typeof newOrderSchema>;
