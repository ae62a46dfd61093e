/**
 * A global table read from its topic by who runs no instance: it is kept in no file.
 *
 * Costs a pass over the whole topic.
 */

import type { Broker } from '../broker/port.ts'
import { systemClock } from '../clock.ts'
import { RuntimeError } from '../errors/classes.ts'
import { silentLogger } from '../logger.ts'
import { GlobalReader } from '../runtime/global-reader.ts'
import { type GlobalRows, GlobalTables } from '../stores/global-rows.ts'
import { resolveConfig } from '../runtime-config.ts'
import type { Plan } from '../topology/graph.ts'

/**
 * The rows as committed at the time of the call; undefined if the topology has no such table.
 *
 * @throws {RuntimeError} STREAMS_MISSING_TOPIC: create its topic
 * @throws {BrokerError} it cannot be read
 */
export const readGlobal = async (
  broker: Broker,
  plan: Plan,
  name: string,
): Promise<GlobalRows<unknown, unknown> | undefined> => {
  const topic = plan.globals.get(name)
  if (topic === undefined) return undefined
  const described = (await broker.topics.describe([name])).get(name)
  if (described === undefined) {
    throw new RuntimeError(
      'STREAMS_MISSING_TOPIC',
      `topic ${name} of a global table does not exist`,
    )
  }
  const globals = new GlobalTables([topic])
  const reader = new GlobalReader({
    globals,
    broker,
    topics: { topic: () => described },
    clientId: 'millrace-query',
    config: resolveConfig({}),
    clock: systemClock,
    logger: silentLogger,
    onFault: () => {}, // what comes later is not asked for
  })
  try {
    await reader.catchUp()
  } finally {
    await reader.close()
  }
  return globals.find(name)
}
