/** Joins of a stream with a table, and of two tables. */

import {
  joinTable,
  joinTables,
  leftJoinTable,
  leftJoinTables,
  outerJoinTables,
  stream,
  table,
  tableStore,
  to,
  topic,
  topology,
  toStream,
  utf8,
  versionedStore,
  waitingStore,
} from '../../../src/index.ts'
import { type Built, type Family, textRows, textOutput, textTopic } from '../family.ts'
import { joinText } from '../functions.ts'
import type { Params } from '../vector-case.ts'

const left = textTopic('left')
const leftRows = topic('left', { key: utf8, value: utf8 })
const right = topic('right', { key: utf8, value: utf8 })
const out = textTopic('out')
const text = { key: utf8, value: utf8 }

const streamTable =
  (isLeft: boolean) =>
  ({ historyRetentionMs, graceMs }: Params): Built => {
    const store =
      typeof historyRetentionMs === 'number'
        ? versionedStore('table', { ...text, historyRetentionMs })
        : tableStore('table', text)
    const waiting =
      typeof graceMs === 'number' ? waitingStore('waiting', { ...text, graceMs }) : undefined
    return {
      outputs: [textOutput(out)],
      stores: { table: textRows(store) },
      topology: topology('st', () => {
        const rights = table(right, store)
        const lefts$ = stream(left)
        const joined$ = isLeft
          ? lefts$.pipe(leftJoinTable(rights, joinText, waiting))
          : lefts$.pipe(joinTable(rights, joinText, waiting))
        return [joined$.pipe(to(out))]
      }),
    }
  }

const joins = { inner: joinTables, left: leftJoinTables, outer: outerJoinTables }

const tableTable =
  (kind: keyof typeof joins) =>
  ({ historyRetentionMs, materializeResult }: Params): Built => {
    const side = (name: string) =>
      typeof historyRetentionMs === 'number'
        ? versionedStore(name, { ...text, historyRetentionMs })
        : tableStore(name, text)
    const stores = { left: side('lefts'), right: side('rights') }
    const joined = tableStore('joined', text)
    return {
      outputs: [textOutput(out)],
      stores: { joined: textRows(joined) },
      topology: topology('tt', () => {
        const [lefts, rights] = [table(leftRows, stores.left), table(right, stores.right)]
        const kept = materializeResult === true ? joined : undefined
        const result = joins[kind](lefts, rights, joinText, kept)
        return [toStream(result).pipe(to(out))]
      }),
    }
  }

export const tableJoinsFamily: Family = {
  'st-inner': streamTable(false),
  'st-left': streamTable(true),
  'st-versioned': (params) => streamTable(params.joinType === 'left')(params),
  'tt-inner': tableTable('inner'),
  'tt-left': tableTable('left'),
  'tt-outer': tableTable('outer'),
  'tt-versioned': (params) => tableTable(params.joinType as keyof typeof joins)(params),
}
