/**
 * What changed between two topologies, as far as something that lasts depends on it.
 *
 * Called at start with what the state was made by, and by `millrace topology diff`. Pure.
 * 1. Names decide: a node that was renamed is one that is gone and a new one. 2. Differences come
 * in a fixed order: stores, internal topics, inputs and outputs, other nodes, partition counts.
 * 3. What one side does not know is not compared.
 */

import { compareStores } from './compare-stores.ts'
import type { NodeJson } from './describe-json.ts'
import type { ChangedThing, TopologyDifference } from './topology-difference.ts'
import type { ShapedNode, TopologyShape } from './topology-shape.ts'

export const compareTopologies = (
  was: TopologyShape,
  is: TopologyShape,
): readonly TopologyDifference[] => [
  ...compareStores(was.stores, is.stores),
  ...(was.nodes === undefined || is.nodes === undefined ? [] : compareNodes(was.nodes, is.nodes)),
  ...comparePartitions(was.partitions, is.partitions),
]

const compareNodes = (
  before: readonly ShapedNode[],
  now: readonly ShapedNode[],
): readonly TopologyDifference[] => [
  ...compareByName(topicsOf(before, 'repartition topic'), topicsOf(now, 'repartition topic')),
  ...compareByName(topicsOf(before, 'source'), topicsOf(now, 'source')),
  ...compareByName(topicsOf(before, 'sink'), topicsOf(now, 'sink')),
  ...movedSources(before, now),
  ...compareByName(othersOf(before), othersOf(now)),
]

/** Task ids are numbers of sub-topologies: two versions must not share a group then. */
const movedSources = (
  before: readonly ShapedNode[],
  now: readonly ShapedNode[],
): readonly TopologyDifference[] => {
  const known = new Map(sourcesOf(before).map(({ name, subTopology }) => [name, subTopology]))
  return sourcesOf(now).flatMap(({ name, topic = name, subTopology }) => {
    const was = known.get(name)
    if (was === undefined || was === subTopology) return []
    return [
      {
        what: 'source',
        name: topic,
        was: `sub-topology ${was}`,
        is: `sub-topology ${subTopology}`,
        consequence: 'safe',
        effect: 'its tasks get other numbers',
        advice: 'stop all instances before the first of the new version starts',
      },
    ]
  })
}

const sourcesOf = (nodes: readonly ShapedNode[]): readonly ShapedNode[] =>
  nodes.filter(({ role }) => role === 'source')

interface Thing {
  readonly what: ChangedThing
  readonly name: string
  readonly text: string
}

const topicsOf = (
  nodes: readonly NodeJson[],
  what: 'repartition topic' | 'source' | 'sink',
): readonly Thing[] =>
  nodes
    .filter(({ role, internalTopic }) =>
      what === 'repartition topic'
        ? role === 'source' && internalTopic === true
        : role === what && internalTopic !== true,
    )
    .map(({ topic = '', formats }) => ({
      what,
      name: topic,
      text: formats === undefined ? 'any' : `key=${formats.key} value=${formats.value}`,
    }))

/** Stores are compared as such, and with them the nodes that are named after theirs. */
const othersOf = (nodes: readonly NodeJson[]): readonly Thing[] =>
  nodes
    .filter(({ role, name, stores }) => role === 'processor' && !stores.includes(name))
    .map(({ kind, name }) => ({ what: 'node', name, text: kind }))

const compareByName = (
  before: readonly Thing[],
  now: readonly Thing[],
): readonly TopologyDifference[] => {
  const [old, next] = [byName(before), byName(now)]
  const names = [...new Set([...old.keys(), ...next.keys()])]
  return names.flatMap((name) => {
    const [was, is] = [old.get(name), next.get(name)]
    if (was?.text === is?.text) return []
    const { what } = (was ?? is)!
    const texts = { was: was?.text ?? '', is: is?.text ?? '' }
    return [{ what, name, ...texts, ...meaningOf(what, texts) }]
  })
}

const byName = (things: readonly Thing[]): ReadonlyMap<string, Thing> =>
  new Map(things.map((thing) => [thing.name, thing]))

type Meaning = Pick<TopologyDifference, 'consequence' | 'effect' | 'advice'>

const meaningOf = (
  what: ChangedThing,
  { was, is }: { readonly was: string; readonly is: string },
): Meaning => {
  if (what === 'repartition topic' && was !== '') return inFlight(is)
  return { consequence: 'safe', effect: safeEffect(what, was, is), advice: '' }
}

const inFlight = (is: string): Meaning => ({
  consequence: 'losesState',
  effect:
    is === ''
      ? 'records on their way through it are never processed'
      : 'records on their way through it cannot be read as such',
  advice:
    'let the application that made it work off its lag first, then start once with '
    + '--accept-topology-change; or keep the name and its formats',
})

/** The one kind of node, besides those with a store of their name, that the offsets remember. */
const processKind = 'process'

const safeEffect = (what: ChangedThing, was: string, is: string): string => {
  if (what === 'source') {
    if (was === '') return 'it is read from its start'
    return is === '' ? 'it is not read any more' : 'records that are there are read as this'
  }
  if (what === 'sink') {
    if (was === '') return 'it is written'
    return is === '' ? 'it is not written any more' : 'its readers must understand both'
  }
  if (was === processKind) return 'its punctuation schedules end'
  if (is === processKind) return 'its punctuation schedules begin'
  return 'nothing that lasts depends on it'
}

const comparePartitions = (
  before: TopologyShape['partitions'],
  now: TopologyShape['partitions'],
): readonly TopologyDifference[] =>
  Object.entries(now).flatMap(([name, count]) => {
    const known = before[name]
    if (known === undefined || known === count) return []
    return [
      {
        what: 'topic',
        name,
        was: `${known} partitions`,
        is: `${count} partitions`,
        consequence: 'forbidden',
        effect: 'keys would meet the wrong state',
        advice:
          'copy the topic to a new one with the old count, or start a new application id, which '
          + 'rebuilds its state',
      },
    ]
  })
