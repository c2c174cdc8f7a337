import { createHook } from 'node:async_hooks';

/**
 * Preloaded by every process that is measured: keeps an entry of the queue of `process.nextTick`, and with it the hidden
 * class that all entries share. V8 drops a hidden class that no object has. Where a full collection does so during the
 * start, Node 20 makes every later entry on a slow path, and each request costs more, protected or not:
 * chance would decide which services are affected.
 */
const kept: object[] = [];
const hook = createHook({
  init(_id, _type, _trigger, entry) {
    kept.push(entry);
  },
});
hook.enable();
process.nextTick(() => undefined);
hook.disable();
