/**
 * The application of the fault tests: small, but with every path that can lose or double something.
 *
 * A running sum per account with an output per entry, a hop to a count per branch, and a store that
 * only a punctuator empties, whose rows are reported by it. Everything it writes carries the id of
 * the entry, so that what is lost or doubled is seen at once.
 */

import {
  aggregate,
  json,
  keyValueStore,
  mapValues,
  ofKind,
  process,
  repartitionBy,
  repartitionTopic,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../../src/index.ts'

export interface Entry {
  readonly id: number
  readonly cents: number
  readonly branch: string
}

/** Of an account after one entry. */
export interface Balance {
  readonly id: number
  readonly sum: number
}

/** Of a branch after one entry. */
export interface BranchCount {
  readonly id: number
  readonly count: number
}

interface Branch {
  readonly count: number
  readonly lastId: number
}

export const sumStore = keyValueStore('sums', { key: utf8, value: json<number>() })
export const branchStore = keyValueStore('branches', { key: utf8, value: json<Branch>() })
export const pendingStore = keyValueStore('pending', { key: utf8, value: json<number>() })
const byBranch = repartitionTopic('by-branch', { key: utf8, value: json<Entry>() })

/** Names of external topics begin with the application's, so that tests may share a cluster. */
export const faultTopics = (name: string) => ({
  entries: topic(`${name}-entries`, { key: utf8, value: json<Entry>() }),
  balances: topic(`${name}-balances`, { key: utf8, value: json<Balance>() }),
  branchCounts: topic(`${name}-branch-counts`, { key: utf8, value: json<BranchCount>() }),
  reports: topic(`${name}-reports`, { key: utf8, value: json<number>() }),
})

interface Booked {
  readonly kind: 'booked'
  readonly entry: Entry
}
interface Summed extends Balance {
  readonly kind: 'summed'
}

const book = () =>
  process(
    'book',
    { sumStore },
    {
      onRecord({ key, value: entry }: { key: string; value: Entry }, stores): (Booked | Summed)[] {
        const sum = (stores.sumStore.get(key) ?? 0) + entry.cents
        stores.sumStore.put(key, sum)
        return [
          { kind: 'summed', id: entry.id, sum },
          { kind: 'booked', entry },
        ]
      },
    },
  )

const report = (everyMs: number) =>
  process(
    'report',
    { pendingStore },
    {
      onRecord({ key, value }: { key: string; value: Entry }, stores): readonly number[] {
        stores.pendingStore.put(`${key}|${String(value.id).padStart(9, '0')}`, value.id)
        return []
      },
      punctuators: {
        report: {
          everyMs,
          on: 'wallClock',
          *run(_timeMs, stores) {
            for (const [row, id] of stores.pendingStore.range()) {
              stores.pendingStore.delete(row)
              yield [row.split('|')[0]!, id] as const
            }
          },
        },
      },
    },
  )

export const faultTopology = (name: string, reportEveryMs: number) => {
  const { entries, balances, branchCounts, reports } = faultTopics(name)
  return topology('faults', () => {
    const booked$ = stream(entries).pipe(book())
    const accepted$ = booked$.pipe(
      ofKind('booked'),
      mapValues(({ entry }) => entry),
    )
    return [
      booked$.pipe(
        ofKind('summed'),
        mapValues(({ id, sum }) => ({ id, sum })),
        to(balances),
      ),
      accepted$.pipe(
        repartitionBy(byBranch, ({ value }) => value.branch),
        aggregate(
          branchStore,
          () => ({ count: 0, lastId: -1 }),
          ({ count }, { id }) => ({ count: count + 1, lastId: id }),
        ),
        mapValues(({ count, lastId: id }) => ({ id, count })),
        to(branchCounts),
      ),
      accepted$.pipe(report(reportEveryMs), to(reports)),
    ]
  })
}
