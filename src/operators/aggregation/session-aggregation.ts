/**
 * Aggregates by key and session.
 *
 * 1. A record joins every session within the gap of it; they become one, whose parts end with a
 * tombstone each. 2. A record is late if the session it would make has ended before stream time −
 * grace − gap. 3. Null values are folded, as in Kafka Streams, unless the fold ignores them; a
 * record without a key is dropped and does not move stream time. 4. Results carry the session's
 * end.
 */

import { StreamRecord } from '../../record.ts'
import type { Session, SessionRows } from '../../stores/session-rows.ts'
import type { HotStream } from '../../topology/hot-stream.ts'
import type { SessionWindows, Windowed } from '../../windows/windows.ts'
import { Closing, type ClosingParts } from './closing.ts'
import type { EmitOptions, Fold, Merge } from './fold.ts'

export interface SessionParts<K, A> extends ClosingParts<K, A> {
  readonly windows: SessionWindows
  readonly rows: SessionRows<K, A>
  readonly options: EmitOptions & { readonly merge?: Merge<K, A> }
}

interface Span {
  readonly startMs: number
  readonly endMs: number
}

export class SessionAggregation<K, A> {
  readonly #out: HotStream<StreamRecord<Windowed<K>, A | undefined>>
  readonly #gapMs: number
  readonly #rows: SessionRows<K, A>
  readonly #merge: Merge<K, A> | undefined
  readonly #closing: Closing<K, A>

  constructor(parts: SessionParts<K, A>) {
    this.#out = parts.out
    this.#gapMs = parts.windows.gapMs
    this.#rows = parts.rows
    this.#merge = parts.options.merge
    this.#closing = new Closing(parts)
    const { scope, node } = parts.out
    scope.addPrefetch({ node, reads: 'key', run: (records) => this.#prefetch(records) })
  }

  add<V>(record: StreamRecord<K, V>, fold: Fold<K, V, A>): void {
    const { key, value, timestampMs } = record
    const { scope, node } = this.#out
    if (key === undefined) return scope.countDropped(node.name, 'nullKey')
    if (value === undefined && fold.ignoresNull) return scope.countDropped(node.name, 'nullValue')
    const closeMs = this.#closing.observe(timestampMs, fold.input)
    const met = this.#sessionsNear(key, timestampMs)
    const span = spanOf(met, timestampMs)
    if (span.endMs < closeMs) scope.countDropped(node.name, 'late')
    else this.#join(record, fold, { met, span })
    this.#closing.settle(closeMs, record)
  }

  #join<V>(
    record: StreamRecord<K, V>,
    fold: Fold<K, V, A>,
    { met, span }: { readonly met: readonly Session<A>[]; readonly span: Span },
  ): void {
    const { key, value, timestampMs } = record
    const { startMs, endMs } = span
    // a session of this very instant is updated in place, any other ends and is made anew
    if (startMs < timestampMs || endMs > timestampMs) {
      for (const old of met) this.#emit(record, old, undefined)
    }
    let merged: A | undefined
    for (const old of met) merged = this.#merge?.(merged, old.value, key)
    const updated = fold.step(merged, value, key)
    const session = updated === undefined ? undefined : { startMs, endMs, value: updated }
    this.#rows.replace(key, met, session)
    this.#emit(record, span, updated)
  }

  /** By end, then start; a session right at the gap belongs to it. */
  #sessionsNear(key: K, timestampMs: number): readonly Session<A>[] {
    const sessions = this.#rows.sessions(key)
    if (sessions.length === 0) return sessions
    const fromMs = Math.max(timestampMs - this.#gapMs, this.#rows.visibleFromMs())
    const toMs = timestampMs + this.#gapMs
    return sessions.filter(({ startMs, endMs }) => endMs >= fromMs && startMs <= toMs)
  }

  #emit(
    { key, headers }: StreamRecord<K, unknown>,
    { startMs, endMs }: Span,
    value: A | undefined,
  ): void {
    if (!this.#closing.emitsUpdates) return
    this.#out.emit(new StreamRecord({ key, startMs, endMs }, value, endMs, headers))
  }

  #prefetch(records: readonly StreamRecord<unknown, unknown>[]): void {
    this.#rows.prefetch(records.flatMap(({ key }) => (key === undefined ? [] : [key as K])))
  }
}

const spanOf = (sessions: readonly Span[], timestampMs: number): Span => {
  let startMs = timestampMs
  let endMs = timestampMs
  for (const session of sessions) {
    if (session.startMs < startMs) startMs = session.startMs
    if (session.endMs > endMs) endMs = session.endMs
  }
  return { startMs, endMs }
}
