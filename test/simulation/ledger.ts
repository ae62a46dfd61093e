/**
 * The topology of the simulation, and its sequential model.
 *
 * Small, but with every path that can lose or double something: state behind a poison record, a
 * repartition hop, a store that only a punctuator empties, dead letters, an external call.
 */

import {
  aggregate,
  effect,
  json,
  keyValueStore,
  mapValues,
  ofKind,
  outboxStore,
  process,
  repartitionBy,
  repartitionTopic,
  stream,
  to,
  topic,
  topology,
  utf8,
} from '../../src/index.ts'

export interface Deposit {
  readonly id: number
  readonly cents: number
  readonly branch: string
  /** Throws after the store was written: must leave no trace but its dead letter. */
  readonly isPoison: boolean
}

const number = json<number>()
export const deposits = topic('deposits', { key: utf8, value: json<Deposit>() })
export const balances = topic('balances', { key: utf8, value: number })
export const branchCounts = topic('branch-counts', { key: utf8, value: number })
export const reported = topic('reported', { key: utf8, value: number })
export const receipts = topic('receipts', { key: utf8, value: number })

export const balanceStore = keyValueStore('balance', { key: utf8, value: number })
export const touchedStore = keyValueStore('touched', { key: utf8, value: number })
export const branchStore = keyValueStore('branch', { key: utf8, value: number })
export const unreported = keyValueStore('unreported', { key: utf8, value: number })
export const receiptCalls = outboxStore('receipt-calls', { key: utf8, value: json<Deposit>() })
const byBranch = repartitionTopic('by-branch', { key: utf8, value: json<Deposit>() })

interface Booked {
  readonly kind: 'booked'
  readonly deposit: Deposit
}
interface Balance {
  readonly kind: 'balance'
  readonly cents: number
}

export const ledger = topology('ledger', () => {
  const booked$ = stream(deposits).pipe(
    process(
      'book',
      { balanceStore, touchedStore },
      {
        onRecord({ key, value: deposit }, stores): readonly (Booked | Balance)[] {
          stores.touchedStore.put(key, (stores.touchedStore.get(key) ?? 0) + 1)
          const cents = (stores.balanceStore.get(key) ?? 0) + deposit.cents
          stores.balanceStore.put(key, cents)
          if (deposit.isPoison) throw new Error(`poison ${deposit.id}`)
          return [
            { kind: 'balance', cents },
            { kind: 'booked', deposit },
          ]
        },
      },
    ),
  )
  const accepted$ = booked$.pipe(
    ofKind('booked'),
    mapValues(({ deposit }) => deposit),
  )
  return [
    booked$.pipe(
      ofKind('balance'),
      mapValues(({ cents }) => cents),
      to(balances),
    ),
    accepted$.pipe(
      repartitionBy(byBranch, ({ value }) => value.branch),
      aggregate(
        branchStore,
        () => 0,
        (count) => count + 1,
      ),
      to(branchCounts),
    ),
    accepted$.pipe(
      process(
        'report',
        { unreported },
        {
          onRecord({ key, value }, stores): readonly number[] {
            stores.unreported.put(`${key}|${String(value.id).padStart(9, '0')}`, value.id)
            return []
          },
          punctuators: {
            report: {
              everyMs: 50,
              on: 'wallClock',
              *run(_timeMs, stores) {
                for (const [row, id] of stores.unreported.range()) {
                  stores.unreported.delete(row)
                  yield [row.split('|')[0]!, id] as const
                }
              },
            },
          },
        },
      ),
      to(reported),
    ),
    accepted$.pipe(
      effect(receiptCalls, (deposit) => Promise.resolve(deposit.id)),
      mapValues((result) => (result.kind === 'done' ? result.value : -1)),
      to(receipts),
    ),
  ]
})

export interface Input {
  readonly account: string
  readonly deposit: Deposit
}

/** What the topics and stores must hold when everything was processed, per key in order. */
export interface Expected {
  readonly balances: ReadonlyMap<string, readonly number[]>
  readonly branchCounts: ReadonlyMap<string, readonly number[]>
  /** Ids of each account in order. */
  readonly ids: ReadonlyMap<string, readonly number[]>
  readonly poisoned: readonly number[]
}

/** The oracle: the inputs one after the other, as if there were no crash, batch or partition. */
export const expectedOf = (inputs: readonly Input[]): Expected => {
  const running = new Map<string, number[]>()
  const branches = new Map<string, number[]>()
  const ids = new Map<string, number[]>()
  const poisoned: number[] = []
  for (const { account, deposit } of inputs) {
    if (deposit.isPoison) {
      poisoned.push(deposit.id)
      continue
    }
    const sums = running.get(account) ?? []
    running.set(account, [...sums, (sums.at(-1) ?? 0) + deposit.cents])
    const counts = branches.get(deposit.branch) ?? []
    branches.set(deposit.branch, [...counts, counts.length + 1])
    ids.set(account, [...(ids.get(account) ?? []), deposit.id])
  }
  return { balances: running, branchCounts: branches, ids, poisoned }
}
