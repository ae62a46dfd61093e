/**
 * Goal: the topics of the shop can be called otherwise, every command sees the same names, and a
 * state never meets topics that are not its own. Method: names and files as tables; one shop under
 * the names of a profile, which the other commands then look at.
 */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  catalogueNames,
  profileNames,
  TopicNames,
} from '../../topologies/shop/shared/topic-names.ts'
import { payments } from '../../topologies/shop/shared/topics.ts'
import { EmbeddedBroker } from '../../src/broker/embedded/embedded-broker.ts'
import { refuseOtherNames } from '../../src/cli/refuse-other-names.ts'
import { createShopTopics } from '../../src/cli/shop-topics.ts'
import { claimNames, directoryNames, ecomNames, givenNames } from '../../src/cli/topic-names.ts'
import { systemClock } from '../../src/clock.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { namesInFile } from '../../src/cli/topic-names-file.ts'
import { topicCatalogue } from '../../topologies/shop/shared/topics.ts'
import { sourcePlaces, unsharedReason } from '../../src/runtime/task-meaning.ts'
import { fakeGateway } from '../../topologies/shop/gateway/fake-gateway.ts'
import { shopConfig } from '../../topologies/shop/shared/config.ts'
import { shopTopology } from '../../topologies/shop/shop.ts'
import { millrace, temporaryDirectory } from './run-millrace.ts'

const folder = temporaryDirectory()
afterAll(() => folder.remove())

const own = Object.fromEntries(catalogueNames.map((name) => [name, name.replace('ecom', 'mine')]))

const fileOf = (name: string, content: string | object): string => {
  const path = join(folder.path, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

describe('naming profiles', () => {
  it('name every topic of the catalogue, none like another', () => {
    for (const profile of profileNames) {
      const names = TopicNames.profile(profile)
      expect([...names.byCatalogue.keys()].toSorted()).toEqual([...catalogueNames].toSorted())
      const path = fileOf(`${profile}.json`, Object.fromEntries(names.byCatalogue))
      expect(namesInFile(path).equals(names), profile).toBe(true)
    }
    expect(TopicNames.profile('ecom').of('ecom.orders')).toBe('ecom.orders')
    expect(TopicNames.profile('domain').of('ecom.shipments')).toBe('delivery-events')
    expect(TopicNames.profile('business').of('ecom.audit')).toBe('audit.all.events')
  })

  it('keep payments for longer under the names of business', () => {
    const entry = topicCatalogue.find(({ topic }) => topic.name === payments.name)!
    const daysOf = (profile: (typeof profileNames)[number]) =>
      TopicNames.profile(profile).retentionMs(entry) / 86_400_000
    expect(profileNames.map(daysOf)).toEqual([7, 7, 30])
  })

  it('of two kinds never share a group', () => {
    const { plan } = shopTopology(shopConfig({ gateway: fakeGateway() }))
    const places = (profile: 'ecom' | 'domain') =>
      sourcePlaces(plan, TopicNames.profile(profile).byCatalogue)
    expect(unsharedReason(places('ecom'), places('ecom'))).toBeUndefined()
    expect(unsharedReason(places('ecom'), places('domain'))).toContain('lacks topic ecom.')
  })
})

describe('a file of names', () => {
  it('is taken if every topic has one legal name', () => {
    const names = givenNames({ topicNames: fileOf('own.json', own) })!
    expect([names.of('ecom.orders'), names.deadLetters]).toEqual(['mine.orders', 'mine.dlq'])
  })

  it.each([
    ['no JSON', '{', /is not JSON/],
    ['no object', '[]', /an object is expected/],
    ['lines that are no JSON', 'a\n"b"\n', /is not JSON: [^\n]*$/],
    ['a topic left out', { ...own, 'ecom.dlq': undefined }, /no name for ecom\.dlq/],
    ['an unknown topic', { ...own, 'ecom.order': 'a' }, /nearest known one is 'ecom\.orders'/],
    ['a topic twice', JSON.stringify(own).replace('{', '{"ecom.dlq" : "a",'), /dlq is named twice/],
    ['an illegal name', { ...own, 'ecom.dlq': 'my dlq' }, /up to 240 .*; the nearest is 'my-dlq'/],
    ['a name too long', { ...own, 'ecom.dlq': 'a'.repeat(241) }, /up to 240/],
    ['no text', { ...own, 'ecom.dlq': 5 }, /the name of ecom\.dlq is not a text/],
    ['two alike', { ...own, 'ecom.dlq': 'mine_orders' }, /ecom\.dlq and ecom\.orders .* alike/],
    ['the audit', { ...own, 'ecom.audit': 'mine.dlq-audit' }, /the audit of the dead letters/],
    ['that of the keys', { ...own, 'ecom.orders': 'ecom.data-keys' }, /the keys to personal data/],
    ['a changelog', { ...own, 'ecom.dlq': 'shop-orders-changelog' }, /makes for itself/],
  ])('is refused: %s', (name, content, message) => {
    expect(() => namesInFile(fileOf(`${name}.json`, content))).toThrow(message)
  })

  it('that is not there is told with the nearest profile', () => {
    expect(() => givenNames({ topicNames: 'bussines' })).toThrow(
      /"bussines" is none of ecom, domain, business, nor a file; the nearest is 'business'/,
    )
  })
})

describe('a state directory', () => {
  const directory = (name: string): string => {
    const path = join(folder.path, name)
    mkdirSync(join(path, 'state'), { recursive: true })
    return path
  }
  const withRows = (stateDir: string): string => {
    writeFileSync(join(stateDir, 'state', 'data.mdb'), '')
    return stateDir
  }

  it('keeps the names that it was begun with, and refuses others', () => {
    const stateDir = directory('kept')
    claimNames({ stateDir, topicNames: 'ecom' }) // and failed before anything was made
    claimNames({ stateDir, topicNames: 'domain' })
    withRows(stateDir)
    expect(directoryNames({ stateDir }).label).toBe('domain')
    expect(claimNames({ stateDir, topicNames: 'domain' }).label).toBe('domain')
    expect(() => claimNames({ stateDir, topicNames: 'ecom' })).toThrow(
      /is order-commands, here ecom\.order-commands.* start it with --topic-names domain/,
    )
  })

  it('of the time before there was a choice has those of ecom', () => {
    const stateDir = withRows(directory('old'))
    expect(directoryNames({ stateDir }).label).toBe('ecom')
    expect(() => directoryNames({ stateDir, topicNames: 'business' })).toThrow(/--topic-names ecom/)
  })

  it('refuses its file of names once that was changed, and goes on without', () => {
    const stateDir = directory('changed')
    const topicNames = fileOf('changing.json', own)
    claimNames({ stateDir, topicNames })
    withRows(stateDir)
    fileOf('changing.json', { ...own, 'ecom.audit': 'mine.other' })
    expect(() => claimNames({ stateDir, topicNames })).toThrow(
      /not of it as it is now: there the topic ecom\.audit is .*; start it without --topic-names/,
    )
    expect(claimNames({ stateDir }).of('ecom.audit')).toBe('mine.audit')
  })

  it('does not need its file of names again, but it may say the same', () => {
    const stateDir = directory('file')
    claimNames({ stateDir, topicNames: fileOf('first.json', own) })
    withRows(stateDir)
    expect(directoryNames({ stateDir }).of('ecom.orders')).toBe('mine.orders')
    expect(directoryNames({ stateDir, topicNames: fileOf('same.json', own) }).deadLetters).toBe(
      'mine.dlq',
    )
  })
})

describe('a cluster whose group has offsets', () => {
  it('is met under the names of those only', async () => {
    const engine = MemoryEngine.create()
    await using broker = Object.assign(await EmbeddedBroker.open({ engine, clock: systemClock }), {
      [Symbol.asyncDispose]: () => broker.close(),
    })
    const domain = TopicNames.profile('domain')
    await createShopTopics(broker, ecomNames)
    await createShopTopics(broker, domain)
    const ask = (names: TopicNames) => refuseOtherNames(broker, names, 'shop')
    await Promise.all([ask(domain), ask(ecomNames)]) // nobody has read anything
    const producer = broker.transactionalProducer({ transactionalId: 't' })
    await producer.init()
    producer.begin()
    const offset = { topic: 'order-commands', partition: 3, offset: 1n, metadata: '' }
    await producer.sendOffsets([offset], { groupId: 'shop', memberId: '', generationId: -1 })
    await producer.commit()
    await ask(domain)
    await expect(ask(ecomNames)).rejects.toThrow(/not those of ecom.* --topic-names domain$/)
    await refuseOtherNames(broker, ecomNames, 'another')
  })
})

describe('a shop under other names', { timeout: 120_000 }, () => {
  it('runs, and every command sees the same topics', async () => {
    const stateDir = join(folder.path, 'business')
    const at = ['--state-dir', stateDir]
    const orders = fileOf('orders.jsonl', orderLine('o-1'))
    const load = ['load', orders, '--exit', '--port', '0', ...at, '-o', 'json']
    const loaded = await millrace([...load, '--serialization', 'avro'], {
      env: { MILLRACE_TOPIC_NAMES: 'business' },
    })
    expect([loaded.exitCode, loaded.stderr]).toEqual([0, expect.any(String)])
    expect(JSON.parse(loaded.stdout)).toMatchObject({ orders: 1 })
    const [verified, other, refused, schemas, shown] = [
      await millrace(['topics', 'verify', ...at]),
      await millrace(['topics', 'verify', ...at, '--topic-names', 'ecom']),
      await millrace([...load, '--topic-names', 'domain']),
      await millrace(['schema', 'diff', ...at]),
      await millrace(['order', 'show', 'o-1', ...at, '-o', 'json']),
    ]
    expect([verified.exitCode, verified.stderr]).toEqual([0, expect.stringMatching(/as they sh/)])
    expect(other.exitCode).toBe(1)
    expect(other.stderr).toContain('12 of 12 topics are there under the names of business, 0')
    expect(refused.exitCode).toBe(4)
    expect(refused.stderr).toContain('start it with --topic-names business')
    expect([schemas.exitCode, schemas.stdout]).toEqual([0, ''])
    const { events } = JSON.parse(shown.stdout) as {
      readonly events: readonly { readonly topic: string }[]
    }
    expect(events[0]!.topic).toBe('business.orders.events')
    expect(new Set(events.map(({ topic }) => topic))).toContain('business.inventory.events')
    expect(existsSync(join(stateDir, 'topic-names.json'))).toBe(true)
  })
})

const orderLine = (orderId: string): string =>
  `${JSON.stringify({
    orderId,
    customerId: 'ann',
    currency: 'EUR',
    items: [{ productId: 'p-1', quantity: 1, price: '5.00' }],
    placedAt: '2024-05-01T10:00:00Z',
  })}\n`
