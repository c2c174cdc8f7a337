import { Authorized } from 'nestjs-resilient-auth';

@Authorized({ scopes: 'orders:read' }) // expect TS2322
export class OrdersController {}
