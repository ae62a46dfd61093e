/**
 * Where a topology is found that a command was given: shipped by name, in a module, described in
 * JSON, or remembered by a state directory.
 */

import { existsSync, readFileSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { shopTopology } from '../../topologies/shop/shop.ts'
import { StateDirectory } from '../../state/directory.ts'
import { nearest } from '../config/nearest.ts'
import { resolveSettings, type Settings } from '../config/settings.ts'
import { UsageError } from '../config/usage-error.ts'
import { readFacts, shapeOfFacts } from '../runtime/state-facts.ts'
import { describeJson, type PlanJson } from '../topology/describe-json.ts'
import type { Plan } from '../topology/graph.ts'
import type { Topology } from '../topology/topology.ts'
import { shapeOf, type TopologyShape } from '../topology/topology-shape.ts'
import { CommandError } from './failure.ts'
import { openEngine } from './open-engine.ts'
import { stateMemoryOf } from './state-memory.ts'
import { shopConfigOf } from './shop-settings.ts'

/** Topologies this program ships, by name. */
const shipped: Readonly<Record<string, () => Plan>> = {
  // the graph does not depend on the settings
  shop: () => shopTopology(shopConfigOf(resolveSettings({ flags: {}, env: {} }))).plan,
}

const moduleExtensions: ReadonlySet<string> = new Set(['.ts', '.mts', '.js', '.mjs'])

/**
 * @param source  a shipped name, or a module that exports one topology: `FILE`, or `FILE#EXPORT`
 * @throws {UsageError} there is none of this name
 * @throws {CommandError} the module cannot be loaded, or exports none or several
 */
export const planAt = async (source: string): Promise<Plan> => {
  const [file = '', exported] = source.split('#')
  if (moduleExtensions.has(extname(file))) return loadPlan(file, exported)
  const make = Object.hasOwn(shipped, source) ? shipped[source] : undefined
  if (make !== undefined) return make()
  const best = nearest(source, Object.keys(shipped))
  throw new UsageError(`unknown topology '${source}'; the nearest known one is '${best}'`)
}

/** As `planAt`, or a file that `topology describe -o json` wrote. @throws as `planAt` */
export const shapeAt = async (source: string): Promise<TopologyShape> =>
  extname(source) === '.json' ? shapeInFile(source) : shapeOf(describeJson(await planAt(source)))

/**
 * What the state was made by, partition counts included.
 *
 * @throws {CommandError} no application ran on it
 * @throws {StoreError} a process uses it: stop that one
 */
export const shapeInState = async (settings: Settings): Promise<TopologyShape> => {
  const { stateDir } = settings
  if (!existsSync(join(stateDir, 'state'))) {
    throw new CommandError(`there is no state in ${stateDir}; name another with --state-dir`)
  }
  await using parts = new AsyncDisposableStack()
  const directory = StateDirectory.lock(stateDir)
  parts.defer(() => directory.unlock())
  const engine = await openEngine(settings, 'state', stateMemoryOf(settings, { hasBroker: false }))
  parts.defer(() => engine.close())
  const facts = readFacts(engine)
  if (facts === undefined) throw new CommandError(`no application ran on the state in ${stateDir}`)
  return shapeOfFacts(facts)
}

const loadPlan = async (file: string, exported: string | undefined): Promise<Plan> => {
  let members: Readonly<Record<string, unknown>>
  try {
    members = (await import(pathToFileURL(resolve(file)).href)) as typeof members
  } catch (error) {
    throw new CommandError(`cannot load ${file}: ${(error as Error).message}`)
  }
  const found = Object.entries(members).filter(([, member]) => isTopology(member))
  const wanted = found.filter(([name]) => exported === undefined || name === exported)
  if (wanted.length === 1) return (wanted[0]![1] as Topology).plan
  const names = found.map(([name]) => name)
  throw new CommandError(
    names.length === 0
      ? `${file} exports no topology`
      : `${file} exports ${names.join(', ')}: name one as ${file}#${names[0]}`,
  )
}

const isTopology = (member: unknown): member is Topology =>
  typeof member === 'object' && member !== null && 'plan' in member && 'define' in member

const shapeInFile = (file: string): TopologyShape => {
  let plan: Partial<PlanJson>
  try {
    plan = JSON.parse(readFileSync(file, 'utf8')) as Partial<PlanJson>
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${(error as Error).message}`)
  }
  if (plan.version !== 1 || !Array.isArray(plan.subTopologies)) {
    throw new CommandError(`${file} is no topology: make it by \`topology describe -o json\``)
  }
  return shapeOf(plan as PlanJson)
}
