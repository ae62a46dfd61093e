/** What a flow gives to the shop's topology: its ends, and its events for flows that follow. */

import type { Observable, StreamRecord } from '../../../src/index.ts'

export interface Flow<Event> {
  /** As they are written, keyed as its topic is. */
  readonly events$: Observable<StreamRecord<string, Event>>
  readonly sinks: readonly Observable<unknown>[]
}
