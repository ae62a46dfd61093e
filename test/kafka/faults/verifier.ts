/**
 * The judge of every fault test: what must be, recomputed from the raw input, against what is.
 *
 * 1. Outputs: every entry is summed, counted and reported exactly once, with the values that a
 * sequential run gives. 2. Offsets: the group has committed all of every source. 3. Changelogs,
 * folded, are the recomputed stores. 4. The local store of every worker is the fold of its
 * changelogs up to its own positions; for each changelog partition some worker is at the end.
 */

import { type LogRecord, TopicLog } from './topic-log.ts'
import type { Balance, BranchCount, Entry } from './fault-topology.ts'
import type { FaultSite } from './site.ts'
import type { Dump } from './worker-messages.ts'

type Lists = ReadonlyMap<string, readonly unknown[]>

const shownMax = 5

/** @returns what is wrong, in words; empty if nothing is */
export const differences = async (site: FaultSite): Promise<readonly string[]> => {
  const read = (topic: string): Promise<readonly LogRecord[]> => site.log(topic).read()
  const entries = (await read(site.topics.entries.name)).map((record) => ({
    account: record.key,
    entry: JSON.parse(record.value!) as Entry,
  }))
  const balances = await read(site.topics.balances.name)
  const reports = await read(site.topics.reports.name)
  const expected = expectedOf(entries)
  return [
    ...differing('balances', expected.balances, byKey<Balance>(balances)),
    ...differing('reports', expected.ids, byKey<number>(reports)),
    ...countDifferences(expected.branchIds, await read(site.topics.branchCounts.name)),
    ...((await read(`${site.name}-dead-letters`)).length > 0 ? ['there are dead letters'] : []),
    ...(await offsetDifferences(site)),
    ...(await storeDifferences(site, expected)),
  ]
}

interface Expected {
  readonly balances: Lists
  readonly ids: Lists
  readonly branchIds: ReadonlyMap<string, readonly number[]>
}

/** One entry after the other: records of an account are in one partition, so in their order. */
const expectedOf = (
  entries: readonly { readonly account: string; readonly entry: Entry }[],
): Expected => {
  const balances = new Map<string, Balance[]>()
  const ids = new Map<string, number[]>()
  const branchIds = new Map<string, number[]>()
  for (const {
    account,
    entry: { id, cents, branch },
  } of entries) {
    const before = listOf(balances, account).at(-1)?.sum ?? 0
    listOf(balances, account).push({ id, sum: before + cents })
    listOf(ids, account).push(id)
    listOf(branchIds, branch).push(id)
  }
  return { balances, ids, branchIds }
}

const listOf = <V>(lists: Map<string, V[]>, key: string): V[] => {
  let list = lists.get(key)
  if (list === undefined) lists.set(key, (list = []))
  return list
}

const byKey = <V>(records: readonly LogRecord[]): Map<string, V[]> => {
  const lists = new Map<string, V[]>()
  for (const { key, value } of records) listOf(lists, key).push(JSON.parse(value!) as V)
  return lists
}

const differing = (what: string, expected: Lists, found: Lists): readonly string[] => {
  const wrong: string[] = []
  for (const key of new Set([...expected.keys(), ...found.keys()])) {
    const [wanted, had] = [expected.get(key) ?? [], found.get(key) ?? []].map((list) =>
      list.map((value) => JSON.stringify(value)),
    ) as [string[], string[]]
    const at = wanted.findIndex((value, index) => had[index] !== value)
    if (at < 0 && wanted.length === had.length) continue
    const from = at < 0 ? wanted.length : at
    wrong.push(
      `${what} of ${key} differ at ${from}: wanted ${wanted.length}, `
        + `${wanted.slice(from, from + 3).join(' ')}; found ${had.length}, `
        + `${had.slice(from, from + 3).join(' ')}`,
    )
  }
  return wrong.slice(0, shownMax)
}

/** Entries of several partitions meet in a branch in any order; their count has no gap. */
const countDifferences = (
  branchIds: Expected['branchIds'],
  records: readonly LogRecord[],
): readonly string[] => {
  const found = byKey<BranchCount>(records)
  const counts = [...found].map(([key, list]) => [key, list.map(({ count }) => count)] as const)
  const countsWanted = [...branchIds].map(
    ([key, list]) => [key, list.map((_, index) => index + 1)] as const,
  )
  const ids = [...found].map(
    ([key, list]) => [key, list.map(({ id }) => id).sort(byNumber)] as const,
  )
  const idsWanted = [...branchIds].map(([key, list]) => [key, list.toSorted(byNumber)] as const)
  return [
    ...differing('branch counts', new Map(countsWanted), new Map(counts)),
    ...differing('counted entries', new Map(idsWanted), new Map(ids)),
  ]
}

const byNumber = (a: number, b: number): number => a - b

/** Behind the committed offsets nothing is left but markers. */
const offsetDifferences = async (site: FaultSite): Promise<readonly string[]> => {
  const wrong: string[] = []
  const partitions = Array.from({ length: site.partitions }, (_, partition) => partition)
  for (const topic of [site.topics.entries.name, `${site.name}-by-branch-repartition`]) {
    const committed = await site.broker.groups.committedOffsets(
      site.name,
      partitions.map((partition) => ({ topic, partition })),
    )
    const from = partitions.map(
      (wanted) => committed.find(({ partition }) => partition === wanted)?.offset ?? 0n,
    )
    const left = await new TopicLog(site.broker, topic, { from }).read()
    wrong.push(
      ...left.map(
        ({ partition, offset }) =>
          `${topic}-${partition}: committed ${from[partition]}, and there is a record at ${offset}`,
      ),
    )
  }
  return wrong.slice(0, shownMax)
}

const storeDifferences = async (site: FaultSite, expected: Expected): Promise<string[]> => {
  const sums = new Map(
    [...expected.balances].map(([key, list]) => [key, (list.at(-1) as Balance).sum]),
  )
  const branches = new Map([...expected.branchIds].map(([key, { length }]) => [key, length]))
  const dumps = await site.fleet.dumps()
  const wrong: string[] = []
  const check = async (store: string, sub: number, rows: ReadonlyMap<string, unknown>) => {
    const log = site.log(site.changelog(store))
    const folded = fold(await log.read())
    const counted = (value: string): unknown => {
      const parsed = JSON.parse(value) as number | { readonly count: number }
      return typeof parsed === 'number' ? parsed : parsed.count
    }
    wrong.push(
      ...differing(
        `changelog ${store}`,
        new Map([...rows].map(([key, value]) => [key, [value]])),
        new Map([...folded].map(([key, value]) => [key, [counted(value)]])),
      ),
      ...(await localDifferences(log, { store, sub, dumps, partitions: site.partitions })),
    )
  }
  await check('sums', 0, sums)
  await check('pending', 0, new Map())
  await check('branches', 1, branches)
  return wrong
}

/** Of one store of the first sub-topology, against its changelog as it is now, read anew. */
export const localRowsDifferences = async (
  site: FaultSite,
  store: string,
): Promise<readonly string[]> => {
  const log = new TopicLog(site.broker, site.changelog(store))
  const dumps = await site.fleet.dumps()
  return localDifferences(log, { store, sub: 0, dumps, partitions: site.partitions })
}

const fold = (records: readonly LogRecord[]): Map<string, string> => {
  const rows = new Map<string, string>()
  for (const { key, value } of records) {
    if (value === null) rows.delete(key)
    else rows.set(key, value)
  }
  return rows
}

interface LocalStores {
  readonly store: string
  readonly sub: number
  readonly partitions: number
  readonly dumps: readonly { readonly worker: string; readonly dump: Dump }[]
}

const localDifferences = async (
  log: TopicLog,
  { store, sub, partitions, dumps }: LocalStores,
): Promise<readonly string[]> => {
  const wrong: string[] = []
  const records = await log.read()
  for (let partition = 0; partition < partitions; partition++) {
    const ofPartition = records.filter((record) => record.partition === partition)
    const last = ofPartition.at(-1)
    let isAtEnd = last === undefined
    for (const { worker, dump } of dumps) {
      const position = positionIn(dump, log.name, partition)
      if (position === undefined) continue
      if (last !== undefined && position > last.offset) isAtEnd = true
      const wanted = fold(ofPartition.filter(({ offset }) => offset < position))
      const found = rowsIn(dump, `${sub}_${partition}`, store)
      wrong.push(
        ...differing(
          `${worker}'s ${store} of partition ${partition} at ${position}`,
          new Map([...wanted].map(([key, value]) => [key, [value]])),
          new Map([...found].map(([key, value]) => [key, [value]])),
        ),
      )
    }
    if (!isAtEnd) wrong.push(`no worker has all of ${log.name}-${partition}`)
  }
  return wrong
}

/** As `state/key-layout.ts` lays them out; written anew, so that it is checked too. */
const positionIn = (dump: Dump, changelog: string, partition: number): bigint | undefined => {
  const key = `\0P${changelog}\0\0\0\0${String.fromCharCode(partition)}`
  const row = dump.find(([found]) => found === key)
  return row && BigInt((JSON.parse(row[1]) as { readonly offset: string }).offset)
}

const rowsIn = (dump: Dump, taskId: string, store: string): ReadonlyMap<string, string> => {
  const lengthPrefixed = (name: string): string => String.fromCharCode(name.length) + name
  const prefix = `\u0001${lengthPrefixed(taskId)}${lengthPrefixed(store)}`
  return new Map(
    dump
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  )
}
