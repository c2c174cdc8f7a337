import { AuthModule } from 'nestjs-resilient-auth';

AuthModule.forRoot({
  issuer: 'https://login.example.com',
  audience: 'orders',
  audiences: ['orders', 'invoices'], // expect TS2353
});
