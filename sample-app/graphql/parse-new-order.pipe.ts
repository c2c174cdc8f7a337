import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';
import * as v from 'valibot';
import { newOrderSchema, type NewOrder } from '../orders/order.js';

/** GraphQL checks the types of an order; this checks its bounds, as for the other contexts. */
@Injectable()
export class ParseNewOrderPipe implements PipeTransform<unknown, NewOrder> {
  transform(input: unknown): NewOrder {
    const { success, output, issues } = v.safeParse(newOrderSchema, { ...Object(input) });
    if (success) return output;
    throw new BadRequestException(issues.map(({ message }) => message));
  }
}
