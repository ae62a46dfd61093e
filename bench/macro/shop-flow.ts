/**
 * The shop's whole flow on the embedded broker with RocksDB, in one process: orders per second.
 *
 * Goal: ≥ 3,000 orders/s, RSS under 600 MB. Method: stock is set, then ORDERS orders (default
 * 60,000) are sent with at most IN_FLIGHT open at once; the clock runs from the first command to
 * the last final outcome. The gateway answers at once. ORDERS_FROM says what is ordered: `cdnow`
 * (default), the real purchases of `topologies/shop/load/data` over and over, 1.1 lines and 12
 * records each; or `generated`, as `npm start` does, 2 lines and 15 records each. What only
 * collects is `on` (default), or `off` to compare: CUSTOMERS and NOTIFICATIONS, three records more
 * each, AUDIT, a record more per event, and ANALYTICS, which counts. BACKORDERS=on lets lines wait
 * for stock, of which there is enough here. Up to 60,000 commands are made before the clock starts,
 * since who orders is not the shop; more are made on the way, since they would be memory.
 */

import { setTimeout as pause } from 'node:timers/promises'
import { orderCommands } from '../../topologies/shop/shared/topics.ts'
import { report } from '../report.ts'
import { orderSource } from './shop-orders.ts'
import { type EncodedRecord, ShopRig } from './shop-rig.ts'

const orderCount = Number(process.env['ORDERS'] ?? 60_000)
const inFlightMax = Number(process.env['IN_FLIGHT'] ?? 4_000)
const [sliceOrders, madeMax] = [500, 60_000]
const sourceName = process.env['ORDERS_FROM'] ?? 'cdnow'
const source = orderSource(sourceName)
const isOn = (flow: string): boolean => process.env[flow.toUpperCase()] !== 'off'
const flows = {
  customers: isOn('customers'),
  audit: isOn('audit'),
  notifications: isOn('notifications'),
  analytics: isOn('analytics'),
}
const backorders = { accepted: process.env['BACKORDERS'] === 'on' }
const leftOut = Object.entries(flows).flatMap(([flow, isWanted]) => (isWanted ? [] : [flow]))
const rig = await ShopRig.open({ ...flows, backorders })
const { application } = rig
await rig.stock(source.productIds)

const made: (readonly EncodedRecord[])[] = []
for (let from = 0; orderCount <= madeMax && from < orderCount; from += sliceOrders) {
  made.push(rig.commands(source, from, Math.min(sliceOrders, orderCount - from)))
}
const [cpuStart, mainStart] = [process.cpuUsage(), process.threadCpuUsage()]
const startedMs = performance.now()
let [sent, ended, peakRssBytes] = [0, 0, 0]
const samples: (readonly [ms: number, orders: number])[] = []
const meter = setInterval(() => {
  ended = rig.endedOrders()
  samples.push([performance.now(), ended])
  peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss())
}, 100) // asking scans the counters of six tasks: often enough to load, too rare to cost
while (sent < orderCount) {
  if (sent - ended > inFlightMax) {
    await pause(2)
    continue
  }
  const slice = made.shift() ?? rig.commands(source, sent, Math.min(sliceOrders, orderCount - sent))
  await rig.send(orderCommands, slice)
  sent += slice.length
}
while (ended < orderCount) await pause(2)
const elapsedMs = performance.now() - startedMs
clearInterval(meter)
const cpu = process.cpuUsage(cpuStart)
const main = process.threadCpuUsage(mainStart)
const metrics = application.metrics()
const { bytes: decodedRowsBytes } = application.slotCache()
const { outcomes } = rig.summary()
await rig.close()
/** Without the first fifth (warm-up) and the last tenth (the queue runs empty). */
const steady = samples.filter(([, count]) => count > orderCount * 0.2 && count < orderCount * 0.9)
const [first, last] = [steady[0], steady.at(-1)]
report({
  name: 'macro/shop-flow',
  note:
    [`orders from ${sourceName}`, ...leftOut].join(', without ')
    + (backorders.accepted ? ', with backorders' : ''),
  figures: {
    orders: orderCount,
    ordersPerSec: (orderCount / elapsedMs) * 1_000,
    steadyOrdersPerSec:
      first !== undefined && last !== undefined
        ? ((last[1] - first[1]) / (last[0] - first[0])) * 1_000
        : NaN,
    cpuSecPerThousandOrders: (cpu.user + cpu.system) / 1_000 / orderCount,
    mainThreadSecPerThousandOrders: (main.user + main.system) / 1_000 / orderCount,
    peakRssBytes,
    decodedRowsBytes,
    records: metrics.counters.recordsProcessed,
    recordsPerSec: (metrics.counters.recordsProcessed / elapsedMs) * 1_000,
    commits: metrics.commits,
    completed: outcomes['completed'] ?? 0,
  },
})
