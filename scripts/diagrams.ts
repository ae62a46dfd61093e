/**
 * Draws the topologies into their READMEs, between `<!-- diagram -->` and `<!-- /diagram -->`.
 *
 * `npm run diagrams` writes; `test/shop/diagrams.test.ts` compares, so a diagram is never out of
 * date. The diagram of the whole shop is what `millrace topology graph shop` prints.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  json,
  mermaid,
  stream,
  topic,
  type Topic,
  topology,
  type Topology,
  utf8,
} from '../src/index.ts'
import { analyticsFlow } from '../topologies/shop/analytics/topology.ts'
import { customersFlow } from '../topologies/shop/customers/topology.ts'
import { inventoryFlow } from '../topologies/shop/inventory/topology.ts'
import type { StockEmission } from '../topologies/shop/inventory/model.ts'
import { type OrderOutput, ordersFlow } from '../topologies/shop/orders/topology.ts'
import { paymentsFlow } from '../topologies/shop/payments/topology.ts'
import { shopConfig } from '../topologies/shop/shared/config.ts'
import { inventoryReplies, orders, payments, shipments } from '../topologies/shop/shared/topics.ts'
import { shipmentsFlow } from '../topologies/shop/shipments/topology.ts'
import { shopTopology } from '../topologies/shop/shop.ts'

export interface DrawnReadme {
  /** Relative to the project. */
  readonly path: string
  readonly present: string
  readonly drawn: string
}

const markers = /(<!-- diagram -->\n)[\s\S]*?(<!-- \/diagram -->)/

const config = shopConfig({ gateway: () => Promise.reject(new Error('only drawn')) })

/** What a flow decides, before it is written: no topic, but drawn as one. */
const decisions = <V>(of: string): Topic<string, V> =>
  topic(`decided by ${of}`, { key: utf8, value: json<V>() })

const topologies: Readonly<Record<string, () => Topology>> = {
  'topologies/shop': () => shopTopology(config),
  'topologies/shop/orders': () =>
    topology('orders', () => {
      const { name, key, value } = inventoryReplies
      return ordersFlow(config, stream(topic(name, { key, value }))).sinks
    }),
  'topologies/shop/inventory': () =>
    topology('inventory', () => {
      const { replies$, sinks } = inventoryFlow(config)
      return [...sinks, replies$]
    }),
  'topologies/shop/payments': () => topology('payments', () => paymentsFlow(config).sinks),
  'topologies/shop/customers': () => topology('customers', () => customersFlow(stream(orders))),
  'topologies/shop/analytics': () =>
    topology('analytics', () => {
      const flows = {
        stock: { decided$: stream(decisions<StockEmission>('inventory')) },
        decided: {
          events$: stream(orders),
          decided$: stream(decisions<OrderOutput>('orders')),
        },
        paid: { events$: stream(payments) },
        shipped: { events$: stream(shipments) },
      }
      return analyticsFlow(flows)
    }),
  'topologies/shop/shipments': () => topology('shipments', () => shipmentsFlow(config).sinks),
}

/** @throws {Error} a README without its two markers */
export const drawReadmes = (): readonly DrawnReadme[] =>
  Object.entries(topologies).map(([folder, make]) => {
    const path = `${folder}/README.md`
    const present = readFileSync(absolute(path), 'utf8')
    if (!markers.test(present)) throw new Error(`${path} has no <!-- diagram --> markers`)
    const diagram = `\`\`\`mermaid\n${mermaid(make().plan)}\`\`\`\n`
    return { path, present, drawn: present.replace(markers, `$1${diagram}$2`) }
  })

const absolute = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))

if (import.meta.main) {
  for (const { path, present, drawn } of drawReadmes()) {
    if (present === drawn) continue
    writeFileSync(absolute(path), drawn)
    process.stdout.write(`${path}\n`)
  }
}
