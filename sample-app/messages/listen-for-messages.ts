import type { INestApplication } from '@nestjs/common';
import { Transport, type MicroserviceOptions } from '@nestjs/microservices';
import { Server } from 'node:net';

/**
 * Serves the message handlers of an application over TCP, on loopback.
 *
 * @param port 0 for a free one
 * @returns the port
 */
export async function listenForMessages(app: INestApplication, port: number): Promise<number> {
  const options: MicroserviceOptions = { transport: Transport.TCP, options: { host: '127.0.0.1', port } };
  // Without it, the guards of the application do not run before message handlers.
  const service = app.connectMicroservice<MicroserviceOptions>(options, { inheritAppConfig: true });
  await app.startAllMicroservices();
  const server = service.unwrap<Server>();
  const address = server.address();
  return typeof address === 'object' && address ? address.port : port;
}
