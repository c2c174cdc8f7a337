import {
  KafkaContext,
  MqttContext,
  NatsContext,
  RedisContext,
  RmqContext,
  TcpContext,
} from '@nestjs/microservices';

const NAME = 'authorization';

/** As much of gRPC's Metadata as is used. JSON holds no functions, so no payload can pass for one. */
export interface GrpcMetadata {
  get(name: string): readonly unknown[];
  getMap(): object;
}

/**
 * The value of `authorization` beside the payload of a message: of its headers, properties or metadata, by transport. A
 * list when there are several. `undefined` when there is none, or for a context that is not one of Nest's.
 */
export function authorizationOf(context: unknown): unknown {
  if (isGrpcMetadata(context)) return single(context.get(NAME));
  if (context instanceof NatsContext) return ofNats(context.getHeaders());
  if (context instanceof RmqContext) return memberOf(pathOf(context.getMessage(), 'properties', 'headers'));
  if (context instanceof MqttContext)
    return memberOf(pathOf(context.getPacket(), 'properties', 'userProperties'));
  if (context instanceof KafkaContext) return memberOf(context.getMessage().headers);
  // Nest 12.1 and later; before, these transports carry nothing beside the payload.
  if (context instanceof TcpContext || context instanceof RedisContext) return memberOf(metadataOf(context));
  return undefined;
}

export function isGrpcMetadata(value: unknown): value is GrpcMetadata {
  return isObject(value) && isFunction(value, 'get') && isFunction(value, 'getMap');
}

/** Whether a value is the context that Nest makes for a message; a payload is not. */
export function isMessageContext(value: unknown): value is object {
  return [NatsContext, RmqContext, MqttContext, KafkaContext, TcpContext, RedisContext].some(
    (context) => value instanceof context,
  );
}

/** The headers of both NATS clients are a class with `keys` and `values`. */
function ofNats(headers: unknown): unknown {
  if (!isNatsHeaders(headers)) return undefined;
  const names = [...headers.keys()].filter((name) => name.toLowerCase() === NAME);
  return single(names.flatMap((name) => [...headers.values(name)]));
}

function isNatsHeaders(
  value: unknown,
): value is { keys(): Iterable<string>; values(name: string): Iterable<string> } {
  return isObject(value) && isFunction(value, 'keys') && isFunction(value, 'values');
}

function memberOf(headers: unknown): unknown {
  if (!isObject(headers)) return undefined;
  const values = Object.entries(headers)
    .filter(([name]) => name.toLowerCase() === NAME)
    .map(([, value]: [string, unknown]) => text(value));
  return single(values);
}

/** Kafka's values are bytes. */
function text(value: unknown): unknown {
  return Buffer.isBuffer(value) ? value.toString('utf8') : value;
}

function single(values: readonly unknown[]): unknown {
  return values.length > 1 ? values.map(text) : text(values[0]);
}

function metadataOf(context: object): unknown {
  return 'getMetadata' in context && typeof context.getMetadata === 'function'
    ? Reflect.apply(context.getMetadata, context, [])
    : undefined;
}

function pathOf(value: unknown, ...names: readonly string[]): unknown {
  return names.reduce((from: unknown, name) => (isObject(from) ? Reflect.get(from, name) : undefined), value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isFunction(value: object, name: string): boolean {
  return typeof Reflect.get(value, name) === 'function';
}
