/** TLS, SCRAM and ACLs on a real Kafka: who may, may; who may not is told what is missing. */

import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { KafkaBroker } from '../../src/broker/kafka/kafka-broker.ts'
import type { KafkaBrokerOptions } from '../../src/broker/kafka/kafka-broker-options.ts'
import { batchOf, errorOf, Probe } from '../contract/broker/probe.ts'
import { type Credentials, realKafka } from './real-kafka.ts'

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')
vi.setConfig({ testTimeout: 60_000 })

const kafka = await realKafka({ secure: true })
const secure = 'skipped' in kafka ? undefined : kafka.secure

describe.skipIf(secure === undefined)('secured Kafka', () => {
  const bootstrap = 'skipped' in kafka ? '' : kafka.bootstrap.replaceAll('127.0.0.1', 'localhost')
  const opened: KafkaBroker[] = []

  afterAll(async () => {
    await Promise.all(opened.map((broker) => broker.close()))
  })

  const open = async (
    credentials: Credentials,
    options: Partial<KafkaBrokerOptions> = {},
  ): Promise<KafkaBroker> => {
    const broker = await KafkaBroker.open({
      bootstrap,
      retryTimeoutMs: 5_000,
      tls: { ca: readFileSync(secure!.ca) },
      sasl: { mechanism: 'SCRAM-SHA-512', ...credentials },
      ...options,
    })
    opened.push(broker)
    return broker
  }

  it('serves who may', async () => {
    const probe = new Probe(await open(secure!.admin))
    const topic = await probe.create(`secured-${randomUUID()}`)
    const producer = await probe.transactional(`secured-${randomUUID()}`)
    producer.begin()
    await producer.produce([batchOf(topic, 0, 'a')])
    await producer.commit()
    expect(await probe.settledValues(topic)).toEqual(['a'])
  })

  it('serves the command line by its flags', async () => {
    const stateDir = mkdtempSync(join(tmpdir(), 'millrace-secured-'))
    onTestFinished(() => rmSync(stateDir, { recursive: true, force: true }))
    const run = (password: string) =>
      spawnSync(
        process.execPath,
        [main, 'run', 'shop', '--for', '1s', '--port', '0', '--state-dir', stateDir]
          .concat('--bootstrap', bootstrap, '--tls-ca', secure!.ca)
          .concat('--sasl', 'scram-sha-512', '--sasl-username', secure!.admin.username),
        { env: { ...process.env, MILLRACE_SASL_PASSWORD: password }, encoding: 'utf8' },
      )
    const wrong = run('wrong')
    expect(wrong.stderr).toContain('BROKER_NOT_AUTHORIZED')
    expect(wrong.status).toBe(1)
    const right = run(secure!.admin.password)
    expect(right.status, right.stderr).toBe(0)
  })

  it('has its topics compared and mended by the command line', async () => {
    const topics = (verb: string) => {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [
          main,
          'topics',
          verb,
          '-o',
          'json',
          '--bootstrap',
          bootstrap,
          '--tls-ca',
          secure!.ca,
        ].concat('--sasl', 'scram-sha-512', '--sasl-username', secure!.admin.username),
        {
          env: { ...process.env, MILLRACE_SASL_PASSWORD: secure!.admin.password },
          encoding: 'utf8',
        },
      )
      const steps = stdout === '' ? [] : (JSON.parse(stdout) as { topic: string }[])
      return { status, stderr, topics: steps.map(({ topic }) => topic) }
    }
    const first = topics('apply')
    expect(first.status, first.stderr).toBe(0)
    expect(topics('verify')).toMatchObject({ status: 0, topics: [] })
    const admin = await open(secure!.admin)
    await admin.topics.delete(['ecom.platform'])
    await admin.topics.create([
      { name: 'ecom.platform', partitions: 2, config: { cleanupPolicy: 'compact' } },
    ])
    expect(topics('plan').status).toBe(3)
    expect(topics('verify')).toMatchObject({
      status: 1,
      topics: ['ecom.platform', 'ecom.platform'],
    })
    expect(topics('apply').status).toBe(0)
    expect(topics('plan').status).toBe(0)
    const platform = (await admin.topics.describe(['ecom.platform'])).get('ecom.platform')
    expect(platform).toMatchObject({ partitions: 6, config: { cleanupPolicy: 'delete' } })
  })

  it('a membership in a thread connects as its broker does', async () => {
    const broker = await open(secure!.admin)
    const session = broker.groups.session!({
      incarnation: 'one',
      linkHost: '127.0.0.1',
      heartbeatIntervalMs: 300,
      maxStallMs: 60_000,
      onRebalance: () => {},
      onLost: () => {},
    })
    const joined = await session.join({
      groupId: `secured-${randomUUID()}`,
      memberId: '',
      sessionTimeoutMs: 6_000,
      metadata: Buffer.from('m'),
      assign: (members) => new Map(members.map(({ memberId, metadata }) => [memberId, metadata])),
    })
    expect(Buffer.from(joined.assignment).toString()).toBe('m')
    await session.leave(joined)
  })

  it('a wrong password is named, at once', async () => {
    const startMs = performance.now()
    const error = await errorOf(open({ ...secure!.admin, password: 'wrong' }))
    expect(error).toMatchObject({ code: 'BROKER_NOT_AUTHORIZED', action: 'stop' })
    expect(error.message).toContain('credentials')
    expect(performance.now() - startMs).toBeLessThan(4_000)
  })

  it('a certificate that is not trusted is no broker', async () => {
    const error = await errorOf(open(secure!.admin, { tls: {}, retryTimeoutMs: 500 }))
    expect(error.code).toBe('BROKER_UNAVAILABLE')
    expect(error.message).toMatch(/certificate/u)
  })

  it('plain text is refused with the reason', async () => {
    const error = await errorOf(KafkaBroker.open({ bootstrap, retryTimeoutMs: 500 }))
    expect(['BROKER_UNAVAILABLE', 'BROKER_INVALID_REQUEST']).toContain(error.code)
  })

  it('a missing ACL is named', async () => {
    const admin = new Probe(await open(secure!.admin))
    const topic = await admin.create(`secured-${randomUUID()}`)
    const broker = await open(secure!.plainUser)
    const sent = await errorOf(broker.producer('plain').send([batchOf(topic, 0, 'a')]))
    expect(sent.code).toBe('BROKER_NOT_AUTHORIZED')
    expect(sent.message).toMatch(/lacks the ACL/u)
    const begun = await errorOf(broker.transactionalProducer({ transactionalId: topic }).init())
    expect(begun.code).toBe('BROKER_NOT_AUTHORIZED')
    expect(begun.message).toContain('transactional id')
    const read = await errorOf(broker.groups.committedOffsets(topic, [{ topic, partition: 0 }]))
    expect(read.code).toBe('BROKER_NOT_AUTHORIZED')
  })

  it('names the ACL that each thing done to a topic needs', async () => {
    const topic = await new Probe(await open(secure!.admin)).create(`secured-${randomUUID()}`)
    const { topics } = await open(secure!.plainUser)
    const acls: readonly (readonly [RegExp, () => Promise<unknown>])[] = [
      [/lacks the ACL DescribeConfigs on the topic/u, () => topics.settings([topic])],
      [
        /lacks the ACL AlterConfigs on the topic/u,
        () => topics.changeSettings([{ name: topic, config: { retentionMs: 1 } }]),
      ],
      [/lacks the ACL .*Describe on the topic/u, () => topics.raisePartitions(topic, 3)],
      [/lacks the ACL .*on the topic/u, () => topics.describe([topic])],
    ]
    for (const [named, ask] of acls) {
      const error = await errorOf(ask())
      expect(error.code).toBe('BROKER_NOT_AUTHORIZED')
      expect(error.message).toMatch(named)
      expect(error.message).toContain(topic)
    }
  })
})
