/** What an aggregate does with a value, in the form all of its operators share. */

export interface Fold<K, V, A> {
  /** The new aggregate; `undefined` in is "none yet", out is "none any more". */
  step(aggregate: A | undefined, value: V, key: K): A | undefined
  /** Null values never reach `step`, also where the kind of windows would let them. */
  readonly ignoresNull: boolean
  /** Number of its stream among those of a cogroup, from 0. */
  readonly input: number
}

/** Makes one session of two; the first is `undefined` at the start. */
export type Merge<K, A> = (merged: A | undefined, session: A, key: K) => A | undefined

/** When a windowed aggregate says something. */
export interface EmitOptions {
  /** `onUpdate` (default): each change of a window; `onClose`: each window once, when it ended. */
  readonly emit?: 'onUpdate' | 'onClose'
  /**
   * With `onClose`: ms of wall clock between two looks at what has closed; default 1,000.
   *
   * A look is a scan (some 40 µs). 0 looks whenever stream time has moved.
   */
  readonly emitIntervalMs?: number
}

/** For sessions, which are merged when a record joins two. */
export interface SessionOptions<K, A> extends EmitOptions {
  /** Pure; gets the earlier session, or what `initial` returns, first. */
  readonly merge: (aggregate: A, session: A, key: K) => A
}
