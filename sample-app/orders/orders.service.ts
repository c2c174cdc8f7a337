import { Injectable, NotFoundException } from '@nestjs/common';
import { Subject } from 'rxjs';
import type { NewOrder, Order } from './order.js';

/** Orders in memory: the sample is about access to them, not about storage. */
@Injectable()
export class OrdersService {
  readonly #placed = new Subject<Order>();
  /** Each new order. */
  readonly placed$ = this.#placed.asObservable();

  private readonly orders: Order[] = [
    { id: 1, item: 'coffee beans', quantity: 2, placedBy: 'orders-cli' },
    { id: 2, item: 'paper filters', quantity: 100, placedBy: 'orders-cli' },
  ];

  list(): readonly Order[] {
    return this.orders;
  }

  /** @throws {NotFoundException} */
  get(id: number): Order {
    const order = this.orders.find((each) => each.id === id);
    if (!order) throw new NotFoundException(`There is no order ${id}`);
    return order;
  }

  place(newOrder: NewOrder, placedBy: string): Order {
    const order = { id: this.orders.length + 1, ...newOrder, placedBy };
    this.orders.push(order);
    this.#placed.next(order);
    return order;
  }

  stats(): { orders: number; pieces: number } {
    return {
      orders: this.orders.length,
      pieces: this.orders.reduce((sum, { quantity }) => sum + quantity, 0),
    };
  }
}
