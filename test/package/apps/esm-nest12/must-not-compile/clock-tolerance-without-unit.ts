import { AuthModule } from 'nestjs-resilient-auth';

// Seconds or milliseconds? A string with its unit leaves no doubt.
AuthModule.forRoot({ issuer: 'https://login.example.com', audience: 'orders', clockTolerance: 30 }); // expect TS2322
