/**
 * Goal: a broker that lost what it had acknowledged is refused, whatever made it lose it.
 *
 * Method: RocksDB's own files, cut as accidents do: a write-ahead log removed, cut short in the
 * middle, the directory replaced by an older copy, or emptied.
 */

import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { LogWitness } from '../../src/broker/embedded/log-witness.ts'
import { systemClock } from '../../src/clock.ts'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { Probe, batchOf } from '../contract/broker/probe.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-lost-log-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const directory = (): string => join(folder, 'broker')
const witnessFile = (): string => join(folder, 'broker-commits')

const withBroker = async <T>(
  use: (probe: Probe, broker: EmbeddedBroker) => Promise<T>,
  { acceptsLoss = false } = {},
): Promise<T> => {
  await using parts = new AsyncDisposableStack()
  const witness = LogWitness.open(witnessFile())
  parts.defer(() => witness.close())
  const engine = await RocksEngine.open(directory(), { memoryBytes: 8 * 1024 * 1024 })
  parts.defer(() => engine.close())
  const options = { engine, witness, acceptsLoss, clock: systemClock, maintenanceIntervalMs: 0 }
  const broker = await EmbeddedBroker.open(options)
  parts.defer(() => broker.close())
  return await use(new Probe(broker), broker)
}

const send = (values: readonly string[]) =>
  withBroker(async (probe) => {
    await probe.create('orders')
    const producer = probe.broker.producer('test')
    for (const value of values) await producer.send([batchOf('orders', 0, value)])
  })

const values = (options?: { readonly acceptsLoss: boolean }) =>
  withBroker((probe) => probe.values('orders'), options)

/** As it lies there while a broker runs: what a kill -9 leaves. */
const sendAndDie = async (sent: readonly string[]): Promise<void> => {
  const copy = join(folder, 'copy')
  await withBroker(async (probe) => {
    const producer = probe.broker.producer('test')
    for (const value of sent) await producer.send([batchOf('orders', 0, value)])
    cpSync(directory(), copy, { recursive: true })
    cpSync(witnessFile(), `${copy}-witness`)
  })
  rmSync(directory(), { recursive: true })
  cpSync(copy, directory(), { recursive: true })
  cpSync(`${copy}-witness`, witnessFile())
}

const logs = (): string[] =>
  readdirSync(directory())
    .filter((name) => name.endsWith('.log'))
    .toSorted()
    .map((name) => join(directory(), name))

const many = Array.from({ length: 200 }, (_, i) => `${i}-${'x'.repeat(200)}`)

describe('embedded broker: a log that lost what was acknowledged', () => {
  it('a kill -9 alone loses nothing, and is no alarm', async () => {
    await send(['a'])
    await sendAndDie(['b', 'c'])
    expect(await values()).toEqual(['a', 'b', 'c'])
  })

  it.each([0, 0.1, 0.5, 0.9, 0.999])('a log cut to %d of its length is refused', async (share) => {
    await send(['a'])
    await sendAndDie(many)
    const newest = logs().at(-1)!
    truncateSync(newest, Math.floor(statSync(newest).size * share))
    await expect(values()).rejects.toMatchObject({ code: 'STATE_LOST', action: 'stop' })
    await expect(values()).rejects.toThrow(/it ends at commit \d+, and commit \d+ was acknowledged/)
    const left = await values({ acceptsLoss: true })
    expect(left).toEqual(['a', ...many].slice(0, left.length)) // an earlier point, no mixture
    expect(left.length).toBeLessThan(1 + many.length)
    await send(['after'])
    expect(await values()).toEqual([...left, 'after'])
  })

  it('removed logs are refused', async () => {
    await send(['a'])
    await sendAndDie(['b'])
    for (const log of logs()) rmSync(log)
    await expect(values()).rejects.toMatchObject({ code: 'STATE_LOST' })
  })

  it('an older copy is refused, also after it was looked at', async () => {
    await send(['a'])
    cpSync(directory(), join(folder, 'old'), { recursive: true })
    await send(['b', 'c', 'd'])
    rmSync(directory(), { recursive: true })
    cpSync(join(folder, 'old'), directory(), { recursive: true })
    for (let i = 0; i < 3; i++) {
      await expect(values()).rejects.toMatchObject({ code: 'STATE_LOST' })
    }
  })

  it('an emptied directory, and that of another cluster, are refused', async () => {
    await send(['a'])
    rmSync(directory(), { recursive: true })
    await expect(values()).rejects.toThrow(/it is empty, and \d+ commits were acknowledged/)
    const witness = readFileSync(witnessFile())
    rmSync(directory(), { recursive: true })
    rmSync(witnessFile())
    await send(['other'])
    writeFileSync(witnessFile(), witness)
    await expect(values()).rejects.toThrow(/it belongs to cluster/)
  })

  it('a damaged witness says so, and how to go on', async () => {
    await send(['a'])
    writeFileSync(witnessFile(), '\0'.repeat(54))
    await expect(values()).rejects.toThrow(/broker-commits is damaged.*delete this one file/)
    rmSync(witnessFile())
    expect(await values()).toEqual(['a'])
  })
})
