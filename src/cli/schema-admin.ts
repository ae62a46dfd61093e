/**
 * The work of `millrace schema`: opens the registry, compares, and registers what was planned.
 *
 * 1. Looking leaves nothing behind. 2. `register` does nothing at all while any schema is refused.
 * 3. What it did is printed also where a later step fails. 4. A shop that runs is asked over HTTP:
 * its process has the broker.
 */

import type { TopicNames } from '../../topologies/shop/shared/topic-names.ts'
import { StateDirectory } from '../../state/directory.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { EmbeddedBroker } from '../broker/embedded/embedded-broker.ts'
import { systemClock } from '../clock.ts'
import type { Settings } from '../config/settings.ts'
import { BuiltInRegistry } from '../schema-registry/built-in-registry.ts'
import { applySchemaStep, planSchema, type SchemaStep } from '../schema-registry/evolution.ts'
import { HttpRegistry } from '../schema-registry/http-registry.ts'
import type { SchemaRegistry } from '../schema-registry/port.ts'
import { schemaChanges } from '../schema-registry/schema-changes.ts'
import { exitCodes } from './exit-codes.ts'
import { openLocalBroker } from './local-broker.ts'
import { namedRegistry, shopSchemaTopics } from './schema-access.ts'
import { table } from './table.ts'
import { namesToLookFor } from './topic-names.ts'

export type SchemaVerb = 'check' | 'diff' | 'register'

/** @returns the exit status */
export const administerSchemas = async (settings: Settings, verb: SchemaVerb): Promise<number> => {
  await using parts = new AsyncDisposableStack()
  const names = namesToLookFor(settings)
  const registry = await openRegistry(settings, verb, parts)
  const steps: SchemaStep[] = []
  for (const wanted of wantedSchemas(names)) steps.push(await planSchema(registry, wanted))
  const print = (shown: readonly SchemaStep[]): void => {
    process.stdout.write(schemaStepsText(shown, settings.output))
  }
  const differences = steps.filter(({ action }) => action !== 'ok')
  const refused = differences.filter(({ action }) => action === 'refused')
  if (verb === 'register' && refused.length === 0)
    return await register(registry, differences, print)
  print(verb === 'check' ? refused : verb === 'diff' ? differences : refused)
  process.stderr.write(`millrace: ${sumOf(steps, differences, refused)}\n`)
  if (refused.length > 0) return exitCodes.refused
  return verb === 'diff' && differences.length > 0 ? exitCodes.changes : exitCodes.ok
}

const wantedSchemas = (names: TopicNames) =>
  shopSchemaTopics(names).flatMap(({ handle, name: topic, isInternal }) =>
    (['key', 'value'] as const).flatMap(
      (part) => handle[part].schemas?.wanted({ topic, part, isInternal }) ?? [],
    ),
  )

const register = async (
  registry: SchemaRegistry,
  steps: readonly SchemaStep[],
  print: (shown: readonly SchemaStep[]) => void,
): Promise<number> => {
  const done: SchemaStep[] = []
  try {
    for (const step of steps) {
      await applySchemaStep(registry, step)
      done.push(step)
    }
  } finally {
    print(done)
  }
  const sum = done.length === 0 ? 'nothing to do' : `${done.length} schemas registered`
  process.stderr.write(`millrace: ${sum}\n`)
  return exitCodes.ok
}

const sumOf = (
  steps: readonly SchemaStep[],
  differences: readonly SchemaStep[],
  refused: readonly SchemaStep[],
): string => {
  if (differences.length === 0) return `${steps.length} schemas are registered`
  const sum = `${differences.length} of ${steps.length} schemas are not registered`
  if (refused.length === 0) return `${sum}; millrace schema register does that`
  return `${sum}, ${refused.length} of them refused: they cannot read what is there`
}

const openRegistry = async (
  settings: Settings,
  verb: SchemaVerb,
  parts: AsyncDisposableStack,
): Promise<SchemaRegistry> => {
  const named = namedRegistry(settings) ?? servedRegistry(settings.stateDir)
  if (named !== undefined) {
    parts.defer(() => named.close())
    return named
  }
  const makes = verb === 'register'
  const broker = await openLocalBroker(settings, makes, parts)
  const isThere = makes || (await BuiltInRegistry.isUsed(broker))
  const builtIn = await BuiltInRegistry.open(
    isThere ? broker : await emptyBroker(parts),
    systemClock,
  )
  parts.defer(() => builtIn.close())
  return builtIn
}

/** Of the process that holds the directory. */
const servedRegistry = (stateDir: string): HttpRegistry | undefined => {
  const address = StateDirectory.readLock(stateDir)?.address
  if (address === undefined) return undefined
  return new HttpRegistry({ url: `${address}/registry`, clock: systemClock })
}

/** Looking must not make the topic of the schemas. */
const emptyBroker = async (parts: AsyncDisposableStack): Promise<EmbeddedBroker> => {
  const empty = await EmbeddedBroker.open({ engine: MemoryEngine.create(), clock: systemClock })
  parts.defer(() => empty.close())
  return empty
}

const schemaStepsText = (steps: readonly SchemaStep[], output: 'table' | 'json'): string => {
  const rows = steps.map(({ action, subject, version, reasons, latest, schema }) => {
    const changes = latest === undefined ? [] : schemaChanges(latest, schema)
    return { action, subject, version, reasons, changes }
  })
  if (output === 'json') return `${JSON.stringify(rows)}\n`
  if (rows.length === 0) return ''
  const lines = rows.flatMap(({ action, subject, version, reasons, changes }) => {
    const head = [action, subject, `version ${version}`]
    const details = [...reasons, ...changes]
    return details.length === 0 ? [[...head, '']] : details.map((detail) => [...head, detail])
  })
  return `${table(lines)}\n`
}
