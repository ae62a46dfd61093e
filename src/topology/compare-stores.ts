/**
 * Two descriptions of the stores of an application, and what the second does to the rows of the
 * first.
 *
 * Called by `compareTopologies`. 1. A layout text is a head (kind, version of our layout, windows)
 * and named formats; only the format of the values may change, and only with the store's version
 * and a migration. 2. A store that is gone and a new one that could hold its rows are a rename.
 */

import { editDistance } from '../config/nearest.ts'
import type { ChangedThing, TopologyDifference } from './topology-difference.ts'
import type { ShapedStore } from './topology-shape.ts'

export const compareStores = (
  before: readonly ShapedStore[],
  now: readonly ShapedStore[],
): readonly TopologyDifference[] => {
  const known = new Map(before.map((store) => [store.name, store]))
  const names = new Set(now.map(({ name }) => name))
  const added = now.filter(({ name }) => !known.has(name))
  const removed = before.filter(({ name }) => !names.has(name))
  return [
    ...now.flatMap((store) => {
      const was = known.get(store.name)
      return was === undefined ? [] : compareStore(was, store)
    }),
    ...removed.map((store) => removedStore(store, renamedTo(store, added))),
    ...added.map((store) => addedStore(store)),
  ]
}

const what: ChangedThing = 'store'

const compareStore = (was: ShapedStore, is: ShapedStore): readonly TopologyDifference[] => {
  const base = { what, name: is.name, was: textOf(was), is: textOf(is) }
  const refused = refusalOf(was, is)
  if (refused !== undefined) return [{ ...base, consequence: 'forbidden', ...refused }]
  const effects: string[] = []
  if (is.version > was.version) {
    effects.push(`its rows are migrated from version ${was.version} before it is used`)
  }
  if (was.retentionMs !== is.retentionMs && was.retentionMs !== undefined) {
    effects.push(`rows are kept for ${is.retentionMs} ms instead of ${was.retentionMs} ms`)
  }
  if (was.subTopology !== is.subTopology && was.subTopology !== undefined) {
    effects.push(
      `it moves from sub-topology ${was.subTopology} to ${is.subTopology}: the local rows are `
        + 'dropped and restored from its changelog',
    )
  }
  if (effects.length === 0) return []
  return [{ ...base, consequence: 'safe', effect: effects.join('; '), advice: '' }]
}

type Refusal = Pick<TopologyDifference, 'effect' | 'advice'>

const refusalOf = (was: ShapedStore, is: ShapedStore): Refusal | undefined => {
  const [old, next] = [partsOf(was.layout), partsOf(is.layout)]
  const differing = [...new Set([...old.keys(), ...next.keys()])].filter(
    (part) => old.get(part) !== next.get(part),
  )
  if (differing.some((part) => part !== valuePart)) {
    const effect = `its rows cannot be read as such (${differing.map(partName).join(', ')})`
    return { effect, advice: anotherName }
  }
  if (is.version < was.version) {
    return {
      effect: `its rows are of version ${was.version}, newer than this code`,
      advice: 'run the version of the application that made it, or a later one',
    }
  }
  if (is.version > was.version) return is.migrates === true ? undefined : notMigrating(was)
  if (differing.length === 0) return undefined
  return {
    effect: 'the values of its rows cannot be read as such',
    advice: `raise its version and give it a migrate function, or ${anotherName}`,
  }
}

const notMigrating = ({ version }: ShapedStore): Refusal => ({
  effect: `nothing says how rows of version ${version} become rows of this one`,
  advice: `give it a migrate function, or ${anotherName}`,
})

const anotherName =
  'give the new store another name, or run the version of the application that made it'

const removedStore = (store: ShapedStore, renamed: ShapedStore | undefined): TopologyDifference => {
  const { name } = store
  const hint = renamed === undefined ? '' : `renamed to ${renamed.name}? `
  return {
    what,
    name,
    was: textOf(store),
    is: '',
    consequence: 'losesState',
    effect: 'its rows are left behind',
    advice: `${hint}keep the name ${name}, use a new application id, or ${dropIt}`,
  }
}

const dropIt = 'start once with --accept-topology-change, which drops the rows for good'

const addedStore = (store: ShapedStore): TopologyDifference => ({
  what,
  name: store.name,
  was: '',
  is: textOf(store),
  consequence: 'safe',
  effect: 'it begins empty',
  advice: '',
})

/** The most similar new store that could hold the same rows. */
const renamedTo = (
  { name, kind, layout }: ShapedStore,
  added: readonly ShapedStore[],
): ShapedStore | undefined => {
  const fits = added.filter((store) => store.kind === kind && store.layout === layout)
  const [best] = fits
    .map((store) => ({ store, distance: editDistance(name, store.name) }))
    .toSorted((a, b) => a.distance - b.distance)
  if (best === undefined) return undefined
  const isSimilar = best.distance <= Math.max(name.length, best.store.name.length) / 2
  return isSimilar || fits.length === 1 ? best.store : undefined
}

const textOf = ({ layout, version }: ShapedStore): string =>
  version === 1 ? layout : `${layout} version=${version}`

const valuePart = 'value'
const headPart = ''

/** Formats may have any character but are named: a name ends the one before. */
const partsOf = (layout: string): ReadonlyMap<string, string> => {
  const [head = '', ...named] = layout.split(/ (?=\w+=)/)
  return new Map([
    [headPart, head],
    ...named.map((part) => {
      const at = part.indexOf('=')
      return [part.slice(0, at), part.slice(at + 1)] as const
    }),
  ])
}

const partName = (part: string): string => (part === headPart ? 'kind, layout or windows' : part)
