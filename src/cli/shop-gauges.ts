/** What `/metrics` of the shop shows beyond the runtime's own figures. */

import { orderTotals } from '../../topologies/shop/orders/stores.ts'
import type { TopicNames } from '../../topologies/shop/shared/topic-names.ts'
import type { Broker } from '../broker/port.ts'
import { OpenLetters } from '../dlq/open-letters.ts'
import type { ExtraFigure, GaugeValue } from '../http/prometheus.ts'
import type { Logger } from '../logger.ts'
import type { Application } from '../runtime/application.ts'
import type { InvariantAlarms } from './invariant-alarms.ts'
import type { PaymentProvider } from './payment-provider.ts'
import type { StoreSource } from './store-source.ts'

/** How long a scrape waits for the broker before it shows what was known of dead letters. */
const lettersWaitMs = 1_000

export interface ShopGaugesOptions {
  readonly app: Application
  readonly stores: StoreSource
  readonly broker: Broker
  readonly logger: Logger
  readonly provider: PaymentProvider
  readonly names: TopicNames
  readonly alarms: InvariantAlarms
}

export const shopGauges = ({
  app,
  stores,
  broker,
  logger,
  provider,
  names,
  alarms,
}: ShopGaugesOptions): readonly ExtraFigure[] => {
  const letters = new OpenLetters({ broker, topic: names.deadLetters, logger })
  return [
    alarms.figure,
    {
      name: 'shop_total',
      help: 'Counters of the orders flow, over all partitions.',
      labels: ['counter'],
      values: () => (app.state === 'running' ? sums(stores.query(orderTotals).range()) : []),
    },
    {
      name: 'dead_letters_open',
      help: 'Dead letters neither replayed nor discarded, by topic of the record and class.',
      labels: ['topic', 'class'],
      values: async () => {
        const counts = await letters.counts(lettersWaitMs)
        return counts.map(({ topic, failureClass, count }) => ({
          labels: { topic, class: failureClass },
          value: count,
        }))
      },
    },
    {
      name: 'payment_breaker_open',
      help: '1 while the payment provider is not called, because it fails.',
      labels: [],
      values: () => {
        const state = provider.breakerState?.()
        return state === undefined ? [] : [{ labels: {}, value: state === 'closed' ? 0 : 1 }]
      },
    },
  ]
}

const sums = (rows: Iterable<readonly [string, number]>): readonly GaugeValue[] => {
  const totals = new Map<string, number>()
  for (const [name, value] of rows) totals.set(name, (totals.get(name) ?? 0) + value)
  return [...totals].map(([counter, value]) => ({ labels: { counter }, value }))
}
