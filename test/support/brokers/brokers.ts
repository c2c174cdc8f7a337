import { connect } from 'node:net';

/** Brokers that tests talk to, at their usual ports on this machine. */
export const BROKERS = { redis: 6379, nats: 4222, rabbitmq: 5672, mqtt: 1883 } as const;

export type Broker = keyof typeof BROKERS;

/**
 * Whether a broker answers. Where it does not, the tests are skipped with a warning; with `BROKERS_REQUIRED` set they
 * fail instead.
 */
export async function hasBroker(broker: Broker): Promise<boolean> {
  const port = BROKERS[broker];
  if (await accepts(port)) return true;
  const problem = `There is no ${broker} on 127.0.0.1:${port}`;
  if (process.env['BROKERS_REQUIRED']) throw new Error(problem);
  console.warn(`${problem}, and tests that need it are SKIPPED. BROKERS_REQUIRED=1 makes them fail instead.`);
  return false;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.end();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
