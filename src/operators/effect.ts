import type { OperatorFunction } from 'rxjs'
import { TopologyError } from '../errors/classes.ts'
import { StreamRecord } from '../record.ts'
import type { OutboxState, OutboxStore } from '../stores/outbox-store.ts'
import type { EffectCall, EffectCompletion, EffectSettings } from '../topology/effect-node.ts'
import type { HotStream } from '../topology/hot-stream.ts'
import { NodeInput } from '../topology/node-input.ts'
import { currentScope } from '../topology/scope.ts'

export interface EffectOptions<K, V> extends Partial<EffectSettings> {
  /**
   * The key under which the other side knows the request; pure.
   *
   * Default: `<store>-<key>-<number>`, the number counting the requests of the task. Give one made
   * of business ids where the same request must stay the same even after `millrace reset`.
   */
  readonly idempotencyKeyOf?: (record: StreamRecord<K, V>) => string
}

export type EffectResult<V, W> =
  | {
      readonly kind: 'done'
      readonly request: V
      readonly value: W
      /** Attempts made in all, this one included. */
      readonly attempts: number
      readonly idempotencyKey: string
    }
  | {
      readonly kind: 'unknown'
      readonly request: V
      readonly attempts: number
      /** Message of the last error. */
      readonly error: string
      readonly idempotencyKey: string
    }

const defaults: EffectSettings = {
  maxInFlight: 64,
  attemptsMax: 5,
  timeoutMs: 10_000,
  backoffMs: 200,
  backoffMaxMs: 30_000,
}

/**
 * Calls the world outside: a durable outbox, the only operator that may take its time.
 *
 * The request is stored together with the input's offset; the call runs after that commit, is
 * repeated until it answers, and its result is a record of a later transaction. Calls of one key
 * run one after the other, in order. The call happens at least once, its result exactly once: the
 * other side must know the idempotency key.
 *
 * When a round of `attemptsMax` attempts ends without an answer the outcome is unknown, which is
 * no failure (the money may have moved): that is emitted once, the row stays and is asked again,
 * and the answer is emitted as `done` when it comes. Records without key or value are dropped and
 * counted.
 *
 * @param store    of the key and the request; the node is named after it
 * @param call     resolves with any definite answer, a decline too; rejects only if the outcome is
 *                 unknown; must stop when `signal` aborts
 * @param options  `maxInFlight` calls per task (64), `attemptsMax` per round (5), `timeoutMs` per
 *                 attempt (10,000), `backoffMs` doubling (200) up to `backoffMaxMs` (30,000)
 * @returns        results, timestampMs = wall clock of the completion, headers of the request
 * @throws {TopologyError} STREAMS_TOPOLOGY_INVALID for an option out of bounds
 * @example        charges$.pipe(effect(chargeOutbox, (charge, { idempotencyKey, signal }) =>
 *                   gateway.charge(charge, { idempotencyKey, signal })))
 */
export const effect = <K, V, W>(
  store: OutboxStore<K, V>,
  call: EffectCall<K, V, W>,
  options: EffectOptions<K, V> = {},
): OperatorFunction<StreamRecord<K, V>, StreamRecord<K, EffectResult<V, W>>> => {
  const scope = currentScope('effect')
  const { idempotencyKeyOf, ...given } = options
  const settings = checked(store.name, { ...defaults, ...given })
  const { name } = store
  return (source) => {
    type Result = StreamRecord<K, EffectResult<V, W>>
    const out = scope.node<Result>({ kind: 'effect', name, stores: [store] })
    const rows = scope.open(out.node, store)
    out.listen(source, (record) => {
      const { key, value, timestampMs, headers } = record
      if (key === undefined) return scope.countDropped(name, 'nullKey')
      if (value === undefined) return scope.countDropped(name, 'nullValue')
      const seq = rows.nextSeq()
      const idempotencyKey = idempotencyKeyOf?.(record) ?? `${name}-${keyText(store, key)}-${seq}`
      const row = { seq, idempotencyKey, request: value, timestampMs, headers }
      scope.requestEffect(name, rows.add(key, row))
    })
    const input = new NodeInput<EffectCompletion>(out, (completion) =>
      settle(out, rows, completion),
    )
    scope.addEffect(out.node, {
      name,
      store,
      settings,
      call,
      input,
      row: (rowKey) => rows.row(rowKey),
      pendingRows: () => rows.rows(),
    })
    return out
  }
}

const settle = <K, V, W>(
  out: HotStream<StreamRecord<K, EffectResult<V, W>>>,
  rows: OutboxState<K, V>,
  { rowKey, outcome }: EffectCompletion,
): void => {
  const row = rows.row(rowKey)
  if (row === undefined) return
  const { key, request, idempotencyKey, headers, state } = row
  const { attempts } = outcome
  const emit = (result: EffectResult<V, W>): void =>
    out.emit(new StreamRecord(key, result, out.scope.nowMs(), headers))
  if (outcome.kind === 'done') {
    rows.remove(rowKey)
    emit({ kind: 'done', request, value: outcome.value as W, attempts, idempotencyKey })
    return
  }
  rows.markUnknown(rowKey, attempts)
  if (state === 'unknown') return // reported already; the answer is still to come
  emit({ kind: 'unknown', request, attempts, error: outcome.error, idempotencyKey })
}

/** Unlike `String(key)`, different for different keys of any type. */
const keyText = <K, V>({ key: serde }: OutboxStore<K, V>, key: K): string =>
  typeof key === 'string' ? key : Buffer.from(serde.encode(key)).toString('base64url')

const checked = (node: string, settings: EffectSettings): EffectSettings => {
  for (const [option, value] of Object.entries(settings)) {
    const min = option === 'backoffMs' || option === 'backoffMaxMs' ? 0 : 1
    if (Number.isSafeInteger(value) && value >= min) continue
    throw new TopologyError(
      'STREAMS_TOPOLOGY_INVALID',
      `node ${node}: ${option} is ${value}, it ` + `must be a whole number of at least ${min}`,
    )
  }
  return settings
}
