/**
 * A broker connection that writes down every call, and that can be out of order as a whole.
 *
 * The runtime's calls pass through unchanged: what reaches the broker, and in which order, is what
 * many promises of a commit are about.
 */

import type { Broker } from '../../src/broker/port.ts'
import { BrokerError } from '../../src/broker/errors.ts'

export interface Call {
  readonly name: string
  readonly args: readonly unknown[]
  readonly atMs: number
  state: 'called' | 'done' | 'failed'
}

export interface TraceOptions {
  readonly calls: Call[]
  nowMs(): number
  /** Asked at each call: true makes it fail as a broker that cannot be reached does. */
  isOut(): boolean
}

export const traced = (broker: Broker, { calls, nowMs, isOut }: TraceOptions): Broker => {
  const invoke = (name: string, args: readonly unknown[], run: () => unknown): unknown => {
    const call: Call = { name, args, atMs: nowMs(), state: 'called' }
    calls.push(call)
    if (isOut() && reachesBroker.has(name)) {
      call.state = 'failed'
      return Promise.reject(new BrokerError('BROKER_UNAVAILABLE', `${name}: no connection`))
    }
    const result = run()
    if (!(result instanceof Promise)) {
      call.state = 'done'
      return isHandle(result) ? wrap(result) : result
    }
    result.then(
      () => {
        call.state = 'done'
      },
      () => {
        call.state = 'failed'
      },
    )
    return result
  }
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (object, name) => {
        const member: unknown = Reflect.get(object, name, object)
        if (isHandle(member)) return wrap(member)
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown =>
          invoke(String(name), args, () => Reflect.apply(member, object, args) as unknown)
      },
    })
  return wrap(broker)
}

const isHandle = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Everything that answers with a promise, but for `close`, which needs no broker. */
const reachesBroker: ReadonlySet<string> = new Set([
  'clusterId',
  'create',
  'describe',
  'list',
  'delete',
  'purge',
  'offsets',
  'fetch',
  'init',
  'produce',
  'sendOffsets',
  'commit',
  'abort',
  'join',
  'heartbeat',
  'leave',
  'committedOffsets',
])
