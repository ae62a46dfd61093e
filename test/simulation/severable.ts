/**
 * A connection to a broker that can be cut: the client's process died, the broker lives on.
 *
 * After `sever()` no call reaches the broker and no answer reaches the caller: as if the process
 * had been killed between two instructions.
 */

import type { Broker } from '../../src/broker/port.ts'

export interface Connection {
  readonly broker: Broker
  sever(): void
  /** Calls from now on are held back, as those of a stopped process. */
  pause(): void
  /** Held calls go out, in order. */
  resume(): void
}

export const connect = (broker: Broker): Connection => {
  let isCut = false
  let paused: PromiseWithResolvers<void> | undefined
  const never = new Promise<never>(() => {})
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (object, name) => {
        const member: unknown = Reflect.get(object, name, object)
        if (typeof member === 'object' && member !== null) return wrap(member)
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown => {
          if (isCut) return never
          if (paused !== undefined && held.has(String(name))) {
            return paused.promise.then(() => Reflect.apply(member, object, args) as unknown)
          }
          const result: unknown = Reflect.apply(member, object, args)
          if (result instanceof Promise) return result.then((value) => (isCut ? never : value))
          const isHandle = typeof result === 'object' && result !== null
          return isHandle ? wrap(result) : result
        }
      },
    })
  return {
    broker: wrap(broker),
    sever: () => {
      isCut = true
    },
    pause: () => {
      paused = Promise.withResolvers()
    },
    resume: () => {
      paused?.resolve()
      paused = undefined
    },
  }
}

/** The calls that answer with a promise and change something or keep a session alive. */
const held: ReadonlySet<string> = new Set([
  'init',
  'produce',
  'sendOffsets',
  'commit',
  'abort',
  'heartbeat',
  'join',
  'leave',
  'fetch',
  'committedOffsets',
  'offsets',
  'send',
])
