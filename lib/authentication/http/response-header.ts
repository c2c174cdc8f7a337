/** Sets a header on the response of Node, Express or Fastify; on anything else it does nothing. */
export function setResponseHeader(response: unknown, name: string, value: string): void {
  if (typeof response !== 'object' || response === null) return;
  // Fastify's reply keeps its headers itself; of Express and Node the response has `setHeader`.
  const set = memberOf(response, 'setHeader') ?? memberOf(response, 'header');
  if (typeof set === 'function') Reflect.apply(set, response, [name, value]);
}

function memberOf(response: object, name: string): unknown {
  return name in response ? Reflect.get(response, name) : undefined;
}
