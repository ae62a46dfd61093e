/** The first of the real orders as a file, with the summary that a load of it must print. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const sample = join(import.meta.dirname, '../../topologies/shop/load/data/cdnow-sample.txt')

export interface RealOrders {
  readonly path: string
  /** Of a load by `--format cdnow`, every order completed. */
  readonly summary: object
}

export const realOrders = (folder: string, count: number): RealOrders => {
  const path = join(folder, `${count}-orders.txt`)
  const lines = readFileSync(sample, 'utf8').split('\n').slice(0, count)
  writeFileSync(path, `${lines.join('\n')}\n`)
  let [units, cents] = [0, 0]
  for (const line of lines) {
    const [, , , ordered, dollars] = line.trim().split(/ +/)
    units += Number(ordered)
    cents += Number(dollars!.replace('.', ''))
  }
  return {
    path,
    summary: {
      orders: count,
      units,
      amountMinor: { USD: cents },
      outcomes: { completed: count },
      open: 0,
      invariants: { violations: [] },
    },
  }
}
