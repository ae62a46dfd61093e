/**
 * Goal: the shop in Avro on a real Kafka, with its schemas in a real Apicurio: nothing runs before
 * they are registered, and then every order ends.
 */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { millrace, startMillrace, temporaryDirectory } from '../cli/run-millrace.ts'
import { realRegistry } from '../schema-registry/real-registry.ts'
import { realKafka } from './real-kafka.ts'

const kafka = await realKafka({ apart: 'avro', isOwn: true })
const registry = 'skipped' in kafka ? kafka : await realRegistry()
const folder = temporaryDirectory()
afterAll(() => folder.remove())

const orderOf = (n: number): string =>
  JSON.stringify({
    orderId: `k-${n}`,
    customerId: 'ann',
    currency: 'EUR',
    items: [{ productId: 'tea', quantity: 1, price: '12.50' }],
  })

describe.skipIf('skipped' in kafka || 'skipped' in registry)('Avro', { timeout: 180_000 }, () => {
  it('needs its schemas, then runs', async () => {
    const { bootstrap } = kafka as { readonly bootstrap: string }
    const { url } = registry as { readonly url: string }
    const named = ['--schema-registry', url]
    const common = ['--bootstrap', bootstrap, '--serialization', 'avro', ...named]
    const state = ['--state-dir', join(folder.path, 'state'), '--port', '0']
    expect((await millrace(['topics', 'apply', '--bootstrap', bootstrap])).exitCode).toBe(0)
    const early = await millrace(['run', ...common, ...state])
    expect(early.exitCode).toBe(1)
    expect(early.stderr).toContain('SCHEMA_NOT_REGISTERED')

    expect((await millrace(['schema', 'register', ...named])).exitCode).toBe(0)
    expect((await millrace(['schema', 'diff', ...named])).exitCode).toBe(0)
    const running = startMillrace(['run', ...common, ...state, '-o', 'json'])
    const path = join(folder.path, 'orders.jsonl')
    writeFileSync(path, `${Array.from({ length: 8 }, (_, i) => orderOf(i)).join('\n')}\n`)
    const loaded = await millrace(['load', path, ...common, '--exit', '-o', 'json'])
    expect(JSON.parse(loaded.stdout)).toMatchObject({
      outcomes: { completed: 8 },
      invariants: { violations: [] },
    })
    running.process.kill('SIGINT')
    const { exitCode, stdout } = await running.ended
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ deadLetters: 0, reopenings: 0 })
  })
})
