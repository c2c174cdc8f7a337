import { Authorized } from 'nestjs-resilient-auth';

export class OrdersController {
  @Authorized({ role: ['admin'] }) // expect TS2561
  remove(): void {}
}
