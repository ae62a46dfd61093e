/**
 * Goal: keys to personal data are made once, are never guessed, and a key that was lost does not
 * look like one that was erased.
 *
 * Method: the real table and vault over a real embedded broker in memory; replicas are vaults
 * over one broker. A broker that must not be asked fails at every touch.
 */

import fc from 'fast-check'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Broker } from '../../src/broker/port.ts'
import { exitCodes } from '../../src/cli/exit-codes.ts'
import { failureOf } from '../../src/cli/failure.ts'
import { DataKeyTable } from '../../src/cli/data-key-table.ts'
import { masterKeyPath } from '../../src/cli/master-key.ts'
import { PersonalVault } from '../../src/cli/personal-vault.ts'
import { createShopTopics } from '../../src/cli/shop-topics.ts'
import { systemClock } from '../../src/clock.ts'
import { openText, sealText } from '../../topologies/shop/personal/sealed-text.ts'
import { dataKeysTopic } from '../../topologies/shop/shared/topics.ts'
import {
  calls,
  changesOf,
  folder,
  given,
  key,
  keyRecords,
  openBroker,
  owner,
  vaultOn,
} from './vault-harness.ts'

describe('sealed texts', () => {
  const dataKey = { keyId: 'k'.repeat(16), bytes: Buffer.alloc(32, 7) }
  const place = { orderId: 'o-1', purpose: 'address' } as const

  it('come back as they were, are the same each time, and differ by place', () => {
    const text = fc.oneof(
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.constant('enc:1:a:b,SE'),
    )
    fc.assert(
      fc.property(text, (plain) => {
        const sealed = sealText(dataKey, place, plain)
        expect(openText(dataKey, place, sealed)).toBe(plain)
        expect(sealText(dataKey, place, plain)).toBe(sealed)
        const elsewhere = { ...place, orderId: 'o-2' }
        expect(sealText(dataKey, elsewhere, plain)).not.toBe(sealed)
        expect(() => openText(dataKey, elsewhere, sealed)).toThrow('was not sealed for it')
        expect(() => openText(dataKey, { ...place, purpose: 'notes' }, sealed)).toThrow()
      }),
      { seed: 20_261_121 },
    )
  })

  it('do not open with another country than they were sealed with', () => {
    const sealed = sealText(dataKey, place, given.shippingAddress)
    expect(sealed.endsWith(',GB')).toBe(true)
    expect(() => openText(dataKey, place, sealed.replace(/GB$/, 'FR'))).toThrow('was changed')
  })
})

describe('a vault', () => {
  it('makes one key for a customer, whoever asks at once, and no two of a kind', async () => {
    const broker = await openBroker()
    const replicas = await Promise.all([vaultOn(broker), vaultOn(broker), vaultOn(broker)])
    const all = await Promise.all(
      [...replicas, ...replicas].map((vault) => vault.sealed(owner, given)),
    )
    expect(new Set(all.map((each) => JSON.stringify(each))).size).toBe(1)
    const [sealed] = all
    expect(sealed!.notes).toMatch(/^enc:1:[\w-]{16}:/)
    const late = await vaultOn(broker)
    expect(await late.opened(sealed!)).toEqual(given)
    expect(await late.sealed(owner, given)).toEqual(sealed)
    const other = await late.sealed({ ...owner, customerId: 'bob' }, given)
    expect(other.notes.slice(0, 22)).not.toBe(sealed!.notes.slice(0, 22))
  })

  it('erases at every replica at once, what was raced for too, and begins anew', async () => {
    const broker = await openBroker()
    const [here, there] = [await vaultOn(broker), await vaultOn(broker)]
    const [sealed] = await Promise.all([here.sealed(owner, given), there.sealed(owner, given)])
    const bobs = await there.sealed({ ...owner, customerId: 'bob' }, given)
    expect(await here.erase('ann')).toBeGreaterThan(0)
    const erased = { orderId: 'o-1', shippingAddress: '[erased]', notes: '[erased]' }
    expect(await there.opened(sealed)).toEqual(erased)
    expect(await there.opened(bobs)).toEqual(given)
    const anew = await there.sealed(owner, given)
    expect([await here.opened(anew), anew.notes === sealed.notes]).toEqual([given, false])
    expect([await there.erase('ann'), await there.erase('ann')]).toEqual([1, 0])
  })

  it('leaves no wrapped key behind once its topic is compacted', async () => {
    const broker = await openBroker()
    const vault = await vaultOn(broker)
    const sealed = await vault.sealed(owner, given)
    expect(await keyRecords(broker)).toContain('"wrapped"')
    await vault.erase('ann')
    await broker.maintain({ force: true })
    const left = await keyRecords(broker)
    expect([left.includes('"wrapped"'), left.includes('"erasedAt"')]).toEqual([false, true])
    expect((await (await vaultOn(broker)).opened(sealed)).notes).toBe('[erased]')
  })

  it('does not call erased what was lost with the topic', async () => {
    const sealed = await (await vaultOn(await openBroker())).sealed(owner, given)
    const cut = await vaultOn(await openBroker())
    await expect(cut.opened(sealed)).rejects.toThrow(/is not on ecom\.data-keys: .* not erased/)
    const broker = await openBroker()
    const vault = await vaultOn(broker)
    await vault.sealed(owner, given)
    await broker.topics.delete([dataKeysTopic.name])
    await expect(vault.sealed(owner, given)).rejects.toThrow('it is not there')
    await createShopTopics(broker)
    await expect(vault.sealed(owner, given)).rejects.toThrow('was read to 1 before')
  })

  it('asks nobody anything for what is not personal, nor when it is switched off', async () => {
    const untouched = new Proxy({}, { get: (_, name) => expect.fail(`asked for ${String(name)}`) })
    const table = new DataKeyTable(untouched as Broker, systemClock)
    const changes = changesOf(untouched as Broker, table)
    const options = { table, changes, masterKey: undefined, whyNoKey: 'none', calls }
    const order = { orderId: 'o-1', customerId: 'ann', reason: 'customer' }
    const vault = new PersonalVault({ ...options, isSealing: true })
    expect(await vault.sealed(owner, order)).toBe(order)
    expect(await vault.opened(order)).toBe(order)
    await expect(vault.sealed(owner, given)).rejects.toThrow('none')
    expect(await new PersonalVault({ ...options, isSealing: false }).sealed(owner, given)).toBe(
      given,
    )
  })
})

describe('the master key', () => {
  it('must be the one that wrapped the keys', async () => {
    const broker = await openBroker()
    const sealed = await (await vaultOn(broker)).sealed(owner, given)
    const other = { env: { MILLRACE_MASTER_KEY: key(2) } }
    const thrown: unknown = await vaultOn(broker, other).catch((error: unknown) => error)
    const { message, exitCode } = failureOf(thrown, [])
    expect(message).toMatch(/wrapped by master key \S{12}, and the one/)
    expect(exitCode).toBe(exitCodes.refused)
    const reading = await vaultOn(broker, { ...other, flags: { erasure: false } })
    await expect(reading.opened(sealed)).rejects.toThrow('is wrapped by master key')
    const masterKeyFile = join(folder, 'given')
    writeFileSync(masterKeyFile, Buffer.alloc(32, 1).toString('hex'))
    const same = await vaultOn(broker, { flags: { masterKeyFile }, env: {} })
    expect(await same.opened(sealed)).toEqual(given)
    writeFileSync(masterKeyFile, 'short')
    await expect(vaultOn(broker, { flags: { masterKeyFile } })).rejects.toThrow('no master key')
  })

  it('is made once where it is kept, for its owner, never instead of a lost one', async () => {
    const broker = await openBroker()
    const kept = { env: {}, keepsKey: true }
    const path = masterKeyPath(folder)
    const sealed = await (await vaultOn(broker, kept)).sealed(owner, given)
    const text = readFileSync(path, 'utf8')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await (await vaultOn(broker, kept)).opened(sealed)).toEqual(given)
    rmSync(path)
    const lost = await vaultOn(broker, kept)
    await expect(lost.sealed(owner, given)).rejects.toThrow(/master-key is gone/)
    await expect(lost.opened(sealed)).rejects.toThrow(/master-key is gone/)
    expect(() => statSync(path)).toThrow('ENOENT')
    expect(await lost.erase('ann')).toBe(1) // needs no key
    expect((await lost.opened(sealed)).notes).toBe('[erased]')
    writeFileSync(path, text)
    expect(await (await vaultOn(broker, kept)).sealed(owner, given)).not.toEqual(sealed)
  })

  it('must be given on Kafka: without one personal data is refused, and nothing else', async () => {
    const vault = await vaultOn(await openBroker(), { env: {} })
    await expect(vault.sealed(owner, given)).rejects.toMatchObject({
      statusCode: 503,
      message: expect.stringContaining('none was given') as string,
    })
    const plain = { orderId: 'o-2', reason: 'customer' }
    expect(await vault.sealed(owner, plain)).toBe(plain)
  })
})
