/**
 * What the walk asks and expects: calls and events as data.
 *
 * Texts may hold `{names}`: `{run}` is new in every walk, the others were kept from an answer of an
 * earlier step (`fill-in.ts`). Fields are compared as `mismatch-of.ts` says.
 */

/** Must be the same, or match; lists and objects may have more than is named. */
export type Pattern =
  | string
  | number
  | boolean
  | RegExp
  | readonly Pattern[]
  | { readonly [field: string]: Pattern }

export interface ExpectedEvent {
  readonly topic: string
  readonly type: string
  /** Whose event it is; not named where only the shop knows the id, and `data` tells the order. */
  readonly aggregate?: string
  readonly data?: { readonly [field: string]: Pattern }
}

export interface Step {
  /** Method and route as the API lists it. */
  readonly row: string
  /** What this call shows, in a few words. */
  readonly what: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
  /** Any of them. Without 202 here it is asked again while it is not decided: it needs a key. */
  readonly status: readonly number[]
  /** Of the answer's body; of one that is no JSON, `{ text }`. */
  readonly shows?: { readonly [field: string]: Pattern }
  /** Asked again until status and `shows` are as expected: effects follow a command. */
  readonly isEventual?: boolean
  readonly answerHeaders?: Readonly<Record<string, Pattern>>
  /** Name → path in the body, as `payments.0.paymentId`, or `header:etag`. */
  readonly keeps?: Readonly<Record<string, string>>
  readonly events?: readonly ExpectedEvent[]
}
