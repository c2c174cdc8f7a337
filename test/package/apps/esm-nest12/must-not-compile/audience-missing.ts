import { AuthModule } from 'nestjs-resilient-auth';

// Accepting tokens meant for another API must be said aloud: `audience: null`.
AuthModule.forRoot({ issuer: 'https://login.example.com' }); // expect TS2345
