/** What a fault test and its worker processes tell each other. */

import type { ApplicationState } from '../../../src/runtime/application-state.ts'
import type { RuntimeConfig } from '../../../src/runtime-config.ts'

export interface WorkerOptions {
  /** Application id, and beginning of the names of its topics. */
  readonly name: string
  readonly instanceId: string
  /** Names the process in its requests, so that a proxy can tell whose they are. */
  readonly clientId: string
  readonly bootstrap: string
  readonly stateDir: string
  readonly reportEveryMs: number
  readonly requestTimeoutMs?: number
  readonly retryTimeoutMs?: number
  readonly config: Partial<RuntimeConfig>
}

/** Keys as latin1, values as text; rows, positions and meta alike. */
export type Dump = readonly (readonly [key: string, value: string])[]

export type FromWorker =
  | { readonly kind: 'state'; readonly state: ApplicationState }
  | {
      readonly kind: 'warning'
      readonly message: string
      readonly code: string
      readonly text: string
    }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'dump'; readonly rows: Dump }

/** `close`: commit, close, tell the store a last time and exit with 0. */
export type ToWorker = 'dump' | 'close'
