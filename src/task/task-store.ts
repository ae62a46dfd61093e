import type { Slots } from '../../state/slots.ts'
import type { Store } from '../stores/store.ts'
import type { ChangelogHead } from './changelog-head.ts'

/** A store of the task: opened face, slots and changelog. */
export interface TaskStore {
  readonly store: Store
  readonly slots: Slots
  readonly opened: unknown
  readonly changelogTopic: string
  readonly head: ChangelogHead
}
