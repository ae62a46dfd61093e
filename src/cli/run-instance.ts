/**
 * The common life of `dev` and `run`: open, show, wait for the stop, drain, close, sum up.
 *
 * 1. An error that stops the instance ends the command with it. 2. The instance is closed cleanly
 * on every way out but a second Ctrl-C. 3. The summary is taken while the stores can be read.
 */

import { type ShipmentEvent } from '../../topologies/shop/shared/events.ts'
import { shipments } from '../../topologies/shop/shared/topics.ts'
import { type Settings } from '../config/settings.ts'
import { followTopics } from './follow-topics.ts'
import { LiveView } from './live-view.ts'
import { OrderLoad } from './order-load.ts'
import { settleOrders } from './settle-orders.ts'
import { ShopInstance } from './shop-instance.ts'
import { StopSignals } from './stop-signals.ts'
import { printSummary, summaryExitCode } from './summary-text.ts'

export interface RunOptions {
  readonly name: string
  /** Generate orders while running. */
  readonly withLoad: boolean
}

/** @returns the exit status */
export const runInstance = async (settings: Settings, options: RunOptions): Promise<number> => {
  const stop = new StopSignals()
  process.stderr.write(`millrace: opening ${settings.stateDir}\n`)
  const instance = await ShopInstance.open(settings)
  try {
    if (settings.forMs !== undefined) stop.schedule(settings.forMs)
    const view = liveView(instance, settings, options)
    const unfollow = await followTopics(instance.broker, [shipments], (event) => {
      const line = shippedLine(event)
      if (line !== undefined) view.shipped(line)
    })
    const load = options.withLoad
      ? new OrderLoad(instance.shop, { ratePerSec: settings.rate, seed: settings.seed })
      : undefined
    view.start()
    await Promise.race([load?.start(), instance.stopped])
    await Promise.race([stop.requested, instance.stopped])
    await load?.stop()
    process.stderr.write('millrace: waiting for open orders\n')
    await Promise.race([settleOrders(instance.shop, settings.drainMs), instance.stopped])
    view.stop()
    await unfollow()
    return await sumUp(instance, settings, load)
  } finally {
    await instance.close()
  }
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

const sumUp = async (
  instance: ShopInstance,
  settings: Settings,
  load: OrderLoad | undefined,
): Promise<number> => {
  const summary = await instance.shop.summary()
  const { reopenings, counters } = instance.metrics()
  const { leaderEpoch } = await instance.broker.topics.offsets({
    topic: shipments.name,
    partition: 0,
  })
  // everything is committed and closed before success is reported
  await instance.close()
  printSummary(settings.output, summary, {
    placed: load?.placed ?? 0,
    notPlaced: load?.failed ?? 0,
    recordsProcessed: counters.recordsProcessed,
    deadLetters: counters.deadLetters,
    reopenings,
    starts: leaderEpoch,
  })
  return summaryExitCode(summary)
}
