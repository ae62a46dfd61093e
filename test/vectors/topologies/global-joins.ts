/** Joins of a stream with a global table. */

import {
  globalTable,
  joinGlobal,
  leftJoinGlobal,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../../src/index.ts'
import { type Built, type Family, textOutput, textTopic } from '../family.ts'
import { fk, joinText } from '../functions.ts'

const left = textTopic('left')
const right = topic('right', { key: utf8, value: utf8 })
const out = textTopic('out')
const joins = { inner: joinGlobal, left: leftJoinGlobal }

const streamGlobal = (kind: keyof typeof joins) => (): Built => ({
  outputs: [textOutput(out)],
  stores: {
    global: (driver) =>
      driver.globalRows(right).map(([key, row]) => [key, row.value, row.timestampMs] as const),
  },
  topology: topology('sg', () => {
    const rights = globalTable(right)
    return [
      stream(left).pipe(
        joins[kind](rights, (value) => fk(value), joinText),
        to(out),
      ),
    ]
  }),
})

export const globalJoinsFamily: Family = {
  'sg-inner': streamGlobal('inner'),
  'sg-left': streamGlobal('left'),
}
