import { AuthModule } from 'nestjs-resilient-auth';

// One issuer inline or several in a list, never both.
AuthModule.forRoot({
  issuer: 'https://login.example.com', // expect TS2561
  audience: 'orders',
  issuers: [{ issuer: 'https://login.example.com', audience: 'orders' }],
});
