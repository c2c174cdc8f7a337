import {
  ClientKafka,
  ClientMqtt,
  ClientNats,
  ClientProxy,
  ClientRMQ,
  type ClientGrpc,
} from '@nestjs/microservices';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { requireHere } from './require-here.js';

const NAME = 'authorization';

/** Any `ClientProxy`, with events and status of any name. */
export type MessageClient = Pick<ClientProxy, 'send' | 'emit' | 'connect'>;

/**
 * Sends a token with every message of a client, beside the payload: as metadata over TCP and Redis (Nest 12.1 and later)
 * and gRPC, as header over NATS, RabbitMQ and Kafka, as user property over MQTT 5.
 *
 * @param token called for each message, so that it may return a newer one
 * @throws {AuthConfigurationError} the client's transport carries nothing beside the payload
 */
export function attachToken(client: MessageClient | ClientGrpc, token: () => string): void {
  const authorization = (): string => `Bearer ${token()}`;
  // Before ClientProxy, which gRPC's client extends.
  if ('getService' in client) attachToGrpc(client, authorization);
  else if (client instanceof ClientKafka) attachToKafka(client, authorization);
  else if (client instanceof ClientNats || client instanceof ClientRMQ)
    attachToOptions(client, 'headers', authorization);
  else if (client instanceof ClientMqtt) attachToOptions(client, 'userProperties', authorization);
  else if (client instanceof ClientProxy) attachToPackets(client, authorization);
  else throw new AuthConfigurationError('attachToken takes a client of @nestjs/microservices');
}

interface Packet {
  metadata?: Readonly<Record<string, string>>;
}

function attachToPackets(client: object, authorization: () => string): void {
  const setHook: unknown = Reflect.get(client, 'setOnDispatchHook');
  if (typeof setHook !== 'function') {
    throw new AuthConfigurationError(
      'This client sends nothing beside the payload; TCP and Redis carry metadata from Nest 12.1 on',
    );
  }
  const hook = (packet: Packet): void => {
    packet.metadata = { ...packet.metadata, [NAME]: authorization() };
  };
  Reflect.apply(setHook, client, [hook]);
}

/** Nest copies these members of its options into each message: a getter is read each time. */
function attachToOptions(client: object, member: string, authorization: () => string): void {
  const options: unknown = Reflect.get(client, 'options');
  if (typeof options !== 'object' || options === null)
    throw new AuthConfigurationError('The client has no options');
  const headers: object = { ...Reflect.get(options, member) };
  Object.defineProperty(headers, NAME, { enumerable: true, get: authorization });
  Reflect.set(client, 'options', { ...options, [member]: headers });
}

function attachToKafka(client: ClientKafka, authorization: () => string): void {
  const withHeader = (data: unknown): object => {
    const isMessage = typeof data === 'object' && data !== null && 'value' in data;
    const message: { headers?: object } = isMessage ? data : ({ value: data } as object);
    return { ...message, headers: { ...message.headers, [NAME]: authorization() } };
  };
  const send = client.send.bind(client);
  const emit = client.emit.bind(client);
  client.send = (pattern, data) => send(pattern, withHeader(data));
  client.emit = (pattern, data) => emit(pattern, withHeader(data));
}

type Method = (...values: readonly unknown[]) => unknown;
type MetadataLike = { set(name: string, value: string): void };

/** `(request, metadata?, …)`: metadata of the caller's own is kept. */
function attachToGrpc(client: ClientGrpc, authorization: () => string): void {
  const { Metadata }: { Metadata: new () => MetadataLike } = requireHere('@grpc/grpc-js');
  const getService = client.getService.bind(client);
  const authenticated =
    (method: Method): Method =>
    (request, given, ...others) => {
      const metadata = given instanceof Metadata ? given : new Metadata();
      metadata.set(NAME, authorization());
      return method(
        request,
        metadata,
        ...(given instanceof Metadata || given === undefined ? others : [given, ...others]),
      );
    };
  Reflect.set(client, 'getService', (name: string): object => {
    const service = getService<object>(name);
    for (const [member, method] of Object.entries(service)) {
      if (typeof method === 'function')
        Reflect.set(
          service,
          member,
          authenticated((...values) => Reflect.apply(method, service, values)),
        );
    }
    return service;
  });
}
