/**
 * The common life of `dev` and `run`: open, show, wait for the stop, drain, close, sum up.
 *
 * 1. An error that stops the instance ends the command with it. 2. The instance is closed cleanly
 * on every way out but a second Ctrl-C. 3. The summary is taken while the stores can be read.
 */

import type { ShipmentEvent } from '../../topologies/shop/shared/events.ts'
import { shipments } from '../../topologies/shop/shared/topics.ts'
import type { Settings } from '../config/settings.ts'
import { exitCodes } from './exit-codes.ts'
import { followTopics } from './follow-topics.ts'
import { LiveView } from './live-view.ts'
import { OrderLoad } from './order-load.ts'
import { settleOrders } from './settle-orders.ts'
import { ShopInstance } from './shop-instance.ts'
import { StartBound } from './start-bound.ts'
import { StopSignals } from './stop-signals.ts'
import { printSummary, summaryExitCode } from './summary-text.ts'
import { table } from './table.ts'

export interface RunOptions {
  readonly name: string
  /** Kafka brokers; the embedded broker if absent. */
  readonly bootstrap?: string | undefined
  /** On Kafka: the only instance, which has all partitions. */
  readonly isAlone?: boolean
  /** Generate orders while running. */
  readonly withLoad: boolean
}

/** @returns the exit status */
export const runInstance = async (settings: Settings, options: RunOptions): Promise<number> => {
  const stop = new StopSignals()
  process.stderr.write(`millrace: opening ${settings.stateDir}\n`)
  const { bootstrap } = options
  const isAlone = bootstrap === undefined || options.isAlone === true
  const bound = new StartBound(settings.forMs)
  const interrupted = Promise.race([stop.requested, bound.reached])
  const opened = ShopInstance.open(settings, { bootstrap, isAlone, interrupted })
  await using instance = await bound.during(opened)
  if (settings.forMs !== undefined) stop.schedule(settings.forMs)
  const view = liveView(instance, settings, options)
  const unfollow = await followTopics(
    instance.broker,
    [instance.names.named(shipments)],
    (event) => {
      const line = shippedLine(event)
      if (line !== undefined) view.shipped(line)
    },
  )
  const load = options.withLoad
    ? new OrderLoad(instance.shop, { ratePerSec: settings.rate, seed: settings.seed })
    : undefined
  view.start()
  await Promise.race([load?.start(), instance.stopped])
  await Promise.race([stop.requested, instance.stopped])
  await load?.stop()
  // on Kafka other replicas go on with them, or the next start does
  if (isAlone) {
    process.stderr.write('millrace: waiting for open orders\n')
    const settled = settleOrders(instance.shop, settings.drainMs, () => instance.isBrokerSilent)
    await Promise.race([settled, instance.stopped])
  }
  view.stop()
  await unfollow()
  if (instance.isBrokerSilent) await instance.close() // says so: there is nothing to sum up
  return await (isAlone ? sumUp(instance, settings, load) : sumUpReplica(instance, settings))
}

const liveView = (instance: ShopInstance, settings: Settings, { name }: RunOptions): LiveView =>
  new LiveView({
    stream: settings.output === 'json' ? process.stderr : process.stdout,
    title: `millrace ${name}   ${instance.address}   state ${settings.stateDir}`,
    status: () => instance.shop.status(),
    metrics: () => instance.metrics(),
  })

const shippedLine = (event: ShipmentEvent): string | undefined => {
  if (event.eventType !== 'shipment.status-updated' || event.data.status !== 'SHIPPED') return
  return `order ${event.data.orderId} shipped by ${event.data.carrier}`
}

/** The shop's totals are spread over the replicas: `load --bootstrap` adds them up. */
const sumUpReplica = async (instance: ShopInstance, settings: Settings): Promise<number> => {
  const { reopenings, commits, counters } = instance.metrics()
  await instance.close()
  const { recordsProcessed, deadLetters } = counters
  const figures = { recordsProcessed, deadLetters, commits, reopenings }
  const rows = Object.entries(figures).map(([name, value]) => [name, String(value)])
  process.stdout.write(
    settings.output === 'json' ? `${JSON.stringify(figures)}\n` : `${table(rows)}\n`,
  )
  return exitCodes.ok
}

const sumUp = async (
  instance: ShopInstance,
  settings: Settings,
  load: OrderLoad | undefined,
): Promise<number> => {
  const summary = await instance.shop.summary()
  const { reopenings, counters } = instance.metrics()
  // everything is committed and closed before success is reported
  await instance.close()
  printSummary(settings.output, summary, {
    placed: load?.placed ?? 0,
    notPlaced: load?.failed ?? 0,
    recordsProcessed: counters.recordsProcessed,
    deadLetters: counters.deadLetters,
    reopenings,
    starts: instance.starts,
  })
  return summaryExitCode(summary)
}
