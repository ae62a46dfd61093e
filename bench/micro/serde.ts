/**
 * What a value costs to encode and to decode, in CPU ns: utf8, json, bytes and avro.
 *
 * Method: utf8 of a key of 13 characters, ASCII or not; bytes of 100; json and avro of one order
 * with two lines, avro framed with the id of its schema from a registry in memory. COUNT values a
 * round (default 200,000), 9 rounds after a warm-up, median. Every round takes the values of a
 * ring of 64, so that none is known to the compiler. What was decoded is compared once.
 */

import { deepStrictEqual } from 'node:assert/strict'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import {
  avroSerde,
  bytes,
  json,
  Prng,
  SchemaSession,
  type Serde,
  systemClock,
  utf8,
} from '../../src/index.ts'
import { BuiltInRegistry } from '../../src/schema-registry/built-in-registry.ts'
import { numberSetting } from '../load/setting.ts'
import { report } from '../report.ts'
import { cpuNsPer } from './cpu-time.ts'

interface Order {
  readonly orderId: string
  readonly customer: string
  readonly amountMinor: number
  readonly placedAtMs: number
  readonly lines: readonly { readonly productId: string; readonly units: number }[]
}

const orderSchema = {
  type: 'record',
  name: 'Order',
  namespace: 'bench',
  fields: [
    { name: 'orderId', type: 'string' },
    { name: 'customer', type: 'string' },
    { name: 'amountMinor', type: 'long' },
    { name: 'placedAtMs', type: 'long' },
    {
      name: 'lines',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'Line',
          fields: [
            { name: 'productId', type: 'string' },
            { name: 'units', type: 'int' },
          ],
        },
      },
    },
  ],
}

const count = Math.round(numberSetting('COUNT', 200_000))
const [ringSize, firstMs] = [64, 1_795_000_000_000]
const prng = new Prng(5)

const ringOf = <T>(make: (index: number) => T): readonly T[] =>
  Array.from({ length: ringSize }, (_, index) => make(index))

const orderOf = (index: number): Order => ({
  orderId: `o-${String(prng.int(1e8)).padStart(8, '0')}`,
  customer: `c-${prng.int(30_000)}`,
  amountMinor: prng.int(100_000),
  placedAtMs: firstMs + index,
  lines: [0, 1].map(() => ({ productId: `P${prng.int(10_000)}`, units: 1 + prng.int(9) })),
})

const avroOrders = async (): Promise<Serde<Order>> => {
  const broker = await EmbeddedBroker.open({ engine: MemoryEngine.create(), clock: systemClock })
  const registry = await BuiltInRegistry.open(broker, systemClock)
  const session = new SchemaSession({ registry, clock: systemClock, registers: true })
  const serde = avroSerde<Order>({ schemas: [orderSchema] })
  await serde.schemas.open(session, { topic: 'orders', part: 'value', isInternal: false })
  await broker.close()
  return serde
}

const figures: Record<string, number> = {}
let sink = 0

const measure = async <T>(name: string, serde: Serde<T>, values: readonly T[]): Promise<void> => {
  const encoded = values.map((value) => Buffer.from(serde.encode(value)))
  deepStrictEqual(
    encoded.map((one) => serde.decode(one)),
    values,
  )
  figures[`${name}EncodeCpuNs`] = await cpuNsPer(count, () => {
    for (let i = 0; i < count; i++) sink += serde.encode(values[i % ringSize]!).length
  })
  figures[`${name}DecodeCpuNs`] = await cpuNsPer(count, () => {
    for (let i = 0; i < count; i++) if (serde.decode(encoded[i % ringSize]!) !== undefined) sink++
  })
  figures[`${name}Bytes`] = encoded.reduce((sum, { length }) => sum + length, 0) / ringSize
}

const orders = ringOf(orderOf)
await measure(
  'utf8',
  utf8,
  ringOf(() => `user-${String(prng.int(1e8)).padStart(8, '0')}`),
)
await measure(
  'utf8Wide',
  utf8,
  ringOf(() => `käufer-${String(prng.int(1e6)).padStart(6, '0')}`),
)
await measure(
  'bytes',
  bytes,
  ringOf(() => new Uint8Array(100).fill(65 + prng.int(26))),
)
await measure('json', json<Order>(), orders)
await measure('avro', await avroOrders(), orders)
if (!(sink > 0)) throw new Error('nothing was encoded')
report({ name: 'micro/serde', figures, note: 'an order with two lines for json and avro' })
