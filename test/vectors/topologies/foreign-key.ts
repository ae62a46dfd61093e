/** Joins of two tables by a foreign key. */

import {
  foreignKeyStore,
  joinTablesByForeignKey,
  leftJoinTablesByForeignKey,
  table,
  tableStore,
  to,
  topic,
  topology,
  toStream,
  utf8,
} from '../../../src/index.ts'
import { type Built, type Family, textOutput, textRows, textTopic } from '../family.ts'
import { fk, joinText } from '../functions.ts'
import type { Params } from '../vector-case.ts'

const text = { key: utf8, value: utf8 }
const left = topic('left', text)
const right = topic('right', text)
const out = textTopic('out')
const joins = { inner: joinTablesByForeignKey, left: leftJoinTablesByForeignKey }

const foreignKey =
  (kind: keyof typeof joins) =>
  ({ materializeResult }: Params): Built => {
    const [lefts, rights] = [tableStore('lefts', text), tableStore('rights', text)]
    const by = foreignKeyStore('fk', { left: lefts, right: rights })
    const joined = tableStore('joined', text)
    const kept = materializeResult === true ? { store: joined } : {}
    return {
      outputs: [textOutput(out)],
      stores: { joined: textRows(joined) },
      topology: topology('fk', () => {
        const tables = [table(left, lefts), table(right, rights)] as const
        const result = joins[kind](
          ...tables,
          { by, keyOf: (value) => fk(value), ...kept },
          joinText,
        )
        return [toStream(result).pipe(to(out))]
      }),
    }
  }

export const foreignKeyFamily: Family = {
  'fk-inner': foreignKey('inner'),
  'fk-left': foreignKey('left'),
}
