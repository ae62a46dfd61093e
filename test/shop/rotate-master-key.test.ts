/**
 * Goal: the master key can be changed while a shop runs and whatever is killed: every text is read
 * as before, what was erased stays so, and the old key opens nothing any more.
 *
 * Method: real tables, vaults and transactions over an embedded broker in memory. A broker seen
 * through `atProduce` does something else right before a batch is written.
 */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Broker, TransactionalProducer } from '../../src/broker/port.ts'
import { DataKeyTable } from '../../src/cli/data-key-table.ts'
import { givenMasterKey, type MasterKey } from '../../src/cli/master-key.ts'
import { rotateKey } from '../../src/cli/rotate-key.ts'
import { type Rotation, rotateMasterKey } from '../../src/cli/rotate-master-key.ts'
import { systemClock } from '../../src/clock.ts'
import { resolveSettings } from '../../src/config/settings.ts'
import { orderOf, ShopClient } from '../http/shop-client.ts'
import { changesOf, folder, given, key, keyRecords, openBroker, vaultOn } from './vault-harness.ts'

const masterKey = (fill: number): MasterKey => givenMasterKey({ masterKey: key(fill) })!
const [from, to] = [masterKey(1), masterKey(2)]

const rotate = (broker: Broker, more: Partial<Rotation> = {}): Promise<number> => {
  const table = new DataKeyTable(broker, systemClock)
  onTestFinished(() => table.close())
  return rotateMasterKey({ table, changes: changesOf(broker, table), from, to, ...more })
}

const keyFile = (fill: number): string => {
  const path = join(folder, `key-${fill}`)
  writeFileSync(path, key(fill))
  return path
}

const under = (fill: number) => ({ env: { MILLRACE_MASTER_KEY: key(fill) } })
const underBoth = { ...under(2), flags: { oldMasterKeyFile: keyFile(1) } }

/** The same broker; `before` is called before each batch of a transaction. */
const atProduce = (broker: Broker, before: () => Promise<unknown>): Broker => {
  const hooked = (producer: TransactionalProducer): TransactionalProducer =>
    seen(producer, {
      produce: async (batches) => {
        await before()
        return producer.produce(batches)
      },
    })
  return seen(broker, {
    transactionalProducer: (options) => hooked(broker.transactionalProducer(options)),
  })
}

const seen = <T extends object>(of: T, instead: Partial<T>): T =>
  new Proxy(of, {
    get: (target, name) => {
      const own: unknown = Reflect.get(name in instead ? instead : target, name)
      return typeof own === 'function' ? (own.bind(target) as unknown) : own
    },
  })

const ownerOf = (customerId: string) => ({ customerId, orderId: given.orderId })

/** One key each, under the old master key. */
const sealedOf = async (broker: Broker, customers: readonly string[]) => {
  const vault = await vaultOn(broker)
  return Promise.all(customers.map((customerId) => vault.sealed(ownerOf(customerId), given)))
}

const many = Array.from({ length: 1_200 }, (_, index) => `c-${index}`)

describe('a rotation', () => {
  it('leaves every text as it was, and the old key opens nothing', async () => {
    const broker = await openBroker()
    const [ann, bob] = await sealedOf(broker, ['ann', 'bob', 'carl'])
    const running = await vaultOn(broker, underBoth)
    await running.erase('bob')
    const dora = await running.sealed(ownerOf('dora'), given) // by the new key already
    expect(await rotate(broker)).toBe(2)
    const after = await vaultOn(broker, under(2))
    expect(await after.opened(ann!)).toEqual(given)
    expect(await running.opened(ann!)).toEqual(given)
    expect(await after.opened(dora)).toEqual(given)
    expect((await after.opened(bob!)).notes).toBe('[erased]')
    expect(await after.sealed(ownerOf('ann'), given)).toEqual(ann)
    await expect(vaultOn(broker, under(1))).rejects.toThrow('wrapped by master key')
    expect(await rotate(broker)).toBe(0)
  })

  it('goes on where it was killed, between two transactions or within one', async () => {
    const broker = await openBroker()
    const [first] = await sealedOf(broker, many)
    const killed = (): never => {
      throw new Error('killed')
    }
    await expect(rotate(broker, { onProgress: killed })).rejects.toThrow('killed')
    const half = (await keyRecords(broker)).split(to.fingerprint).length - 1
    expect(half).toBe(500)
    await expect(vaultOn(broker, under(1))).rejects.toThrow('wrapped by master key')
    await expect(vaultOn(broker, under(2))).rejects.toThrow('--old-master-key-file')
    expect(await (await vaultOn(broker, underBoth)).opened(first!)).toEqual(given)
    let batches = 0
    const within = seen(broker, {
      transactionalProducer: (options) => {
        const producer = broker.transactionalProducer(options)
        return seen(producer, {
          commit: () => (++batches === 1 ? Promise.reject(new Error('killed')) : producer.commit()),
        })
      },
    })
    await expect(rotate(within)).rejects.toThrow('killed')
    expect(await rotate(broker)).toBe(700)
    expect(await (await vaultOn(broker, under(2))).opened(first!)).toEqual(given)
  })

  it('never brings back what is erased while it writes, compacted or not', async () => {
    const broker = await openBroker()
    const [ann, bob] = await sealedOf(broker, ['ann', 'bob'])
    const other = await vaultOn(broker, underBoth)
    let erased = 0
    const raced = atProduce(broker, async () => {
      if (erased === 0) erased = await other.erase('ann')
    })
    expect(await rotate(raced)).toBe(1)
    expect(erased).toBe(1)
    for (const isCompacted of [false, true]) {
      if (isCompacted) await broker.maintain({ force: true })
      const after = await vaultOn(broker, under(2))
      expect((await after.opened(ann!)).notes).toBe('[erased]')
      expect(await after.opened(bob!)).toEqual(given)
    }
    expect((await keyRecords(broker)).match(/"wrapped"/g)).toHaveLength(1)
  })

  it('that was killed within a transaction holds up no erasure', async () => {
    const broker = await openBroker()
    const [ann] = await sealedOf(broker, ['ann'])
    const killed = seen(broker, {
      transactionalProducer: (options) =>
        seen(broker.transactionalProducer(options), {
          commit: () => Promise.reject(new Error('killed')),
        }),
    })
    await expect(rotate(killed)).rejects.toThrow('killed')
    const vault = await vaultOn(broker, { flags: { erasure: false } }) // others wait for its end
    expect(await vault.erase('ann')).toBe(1)
    expect(await vault.erase('ann')).toBe(0)
    expect((await (await vaultOn(broker, underBoth)).opened(ann!)).notes).toBe('[erased]')
  })

  it('ends with the keys that replicas made under the old one meanwhile', async () => {
    const broker = await openBroker()
    await sealedOf(broker, ['ann'])
    const old = await vaultOn(broker)
    let isLate = false
    const raced = atProduce(broker, async () => {
      if (!isLate) await old.sealed(ownerOf('late'), given)
      isLate = true
    })
    expect(await rotate(raced)).toBe(2)
    await vaultOn(broker, under(2))
  })

  it('changes nothing while a key is under neither of the two', async () => {
    const broker = await openBroker()
    await sealedOf(broker, ['ann'])
    const before = await keyRecords(broker)
    const others = { from: masterKey(3), to: masterKey(4) }
    await expect(rotate(broker, others)).rejects.toThrow(/neither the new one .* nothing was/)
    expect(await keyRecords(broker)).toBe(before)
  })

  it('leaves no replica that makes keys under the old one', async () => {
    const broker = await openBroker()
    const left = await vaultOn(broker, under(1))
    await left.sealed(ownerOf('ann'), given)
    const both = await vaultOn(broker, underBoth)
    expect(await rotate(broker)).toBe(1)
    await expect(left.sealed(ownerOf('new'), given)).rejects.toThrow('it makes no new ones')
    await both.sealed(ownerOf('new'), given)
    expect(await rotate(broker)).toBe(0)
  })
})

it('is a command on a stopped directory, whose kept key it replaces', async () => {
  const client = new ShopClient()
  onTestFinished(() => client.remove())
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  onTestFinished(() => written.mockRestore())
  const settings = (flags: Readonly<Record<string, string>>) =>
    resolveSettings({ flags: { stateDir: client.stateDir, ...flags }, env: {} })
  await client.open()
  await client.put('/api/inventory/tea', { operation: 'ADD', quantity: 5 })
  const order = orderOf(1, { orderId: 'o-1', notes: 'ring twice' })
  expect((await client.post('/api/orders?wait=10000', order)).status).toBe(200)
  await expect(rotateKey(settings({ masterKeyFile: keyFile(2) }))).rejects.toThrow('in use')
  await client.close()
  await expect(rotateKey(settings({}))).rejects.toThrow('--master-key-file is missing')
  await rotateKey(settings({ masterKeyFile: keyFile(2), output: 'json' }))
  expect(written.mock.calls.flat().join('')).toContain(`{"keys":1,"master":"${to.fingerprint}"}`)
  await client.open()
  expect((await client.call('/api/orders/o-1')).body['notes']).toBe('ring twice')
  await client.close()
  await expect(rotateKey(settings({ masterKeyFile: keyFile(2) }))).rejects.toThrow('is the old one')
}, 30_000)
