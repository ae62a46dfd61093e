/**
 * What flows between the operators of tables: an update with what it replaced.
 *
 * Made by the nodes of tables, never by users. 1. `undefined` is "no value": a deletion, or a key
 * that was not there. 2. `oldValue` is filled in only where somebody downstream asked for it
 * (`Table.demandOldValues`), since knowing it costs a read. 3. `isLatest` is false for an update of
 * a versioned table that arrived behind a later one: it changed history only.
 */
export class Change<out V> {
  readonly newValue: V | undefined
  readonly oldValue: V | undefined
  readonly isLatest: boolean

  constructor(newValue: V | undefined, oldValue: V | undefined, isLatest: boolean) {
    this.newValue = newValue
    this.oldValue = oldValue
    this.isLatest = isLatest
  }
}
