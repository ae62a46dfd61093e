/**
 * Goal: `millrace schema` says what would be registered, refuses what could not read what is there,
 * and then registers nothing. Method: the real command against the built-in registry over HTTP, in
 * which somebody registered other versions before.
 */

import { beforeEach, describe, expect, it } from 'vitest'
import { ServedRegistry } from '../schema-registry/served-registry.ts'
import { millrace } from './run-millrace.ts'

const subject = 'ecom.orders-millrace.shop.v1.OrderUpdated'
const name = { type: 'record', name: 'OrderUpdated', namespace: 'millrace.shop.v1' }
const other = (...fields: readonly object[]): string => JSON.stringify({ ...name, fields })

interface Row {
  readonly action: string
  readonly subject: string
  readonly version: number
  readonly reasons: readonly string[]
  readonly changes: readonly string[]
}

let served: ServedRegistry

const schema = async (verb: string) => {
  const args = ['schema', verb, '--schema-registry', served.url, '-o', 'json']
  const { exitCode, stdout, stderr } = await millrace(args)
  return { exitCode, stderr, rows: JSON.parse(stdout) as readonly Row[] }
}

describe('millrace schema', { timeout: 120_000 }, () => {
  beforeEach(async () => {
    served = await ServedRegistry.open()
  })

  it('tells what is missing, registers it, and then has nothing to do', async () => {
    const { registry } = served
    await registry.setLevel('NONE')
    const planned = await schema('diff')
    expect(planned.exitCode).toBe(3)
    expect(planned.rows).toHaveLength(41)
    expect(planned.rows.find((row) => row.subject === subject)).toEqual({
      action: 'create',
      subject,
      version: 1,
      reasons: [],
      changes: [],
    })
    expect(await registry.subjects()).toEqual([])
    const done = await schema('register')
    expect(done.exitCode).toBe(0)
    expect(await registry.subjects()).toEqual(done.rows.map((row) => row.subject).toSorted())
    expect(await registry.level(subject)).toBe('BACKWARD_TRANSITIVE')
    expect(await schema('register')).toMatchObject({ exitCode: 0, rows: [] })
    expect(await schema('diff')).toMatchObject({ exitCode: 0, rows: [] })
  })

  it('refuses what cannot read an earlier version, whatever the registry allows', async () => {
    const { registry } = served
    await registry.setLevel('NONE')
    await registry.register(subject, other({ name: 'note', type: 'string' }))
    await registry.register(subject, '"string"')
    for (const verb of ['check', 'diff', 'register']) {
      const { exitCode, rows, stderr } = await schema(verb)
      expect(exitCode).toBe(4)
      expect(stderr).toContain('1 of them refused')
      const row = rows.find(({ action }) => action === 'refused')
      expect(row).toMatchObject({ subject, version: 3 })
      expect(row?.reasons).toEqual([
        expect.stringContaining('it cannot read version 1'),
        expect.stringContaining('it cannot read version 2'),
      ])
    }
    expect(await registry.subjects()).toEqual([subject])
  })

  it('says that a registry does not answer', async () => {
    const url = 'http://127.0.0.1:1'
    const { exitCode, stdout, stderr } = await millrace([
      'schema',
      'check',
      '--schema-registry',
      url,
    ])
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toMatch(/^millrace: SCHEMA_REGISTRY_UNAVAILABLE: http:\/\/127.0.0.1:1 .*\n$/)
  })
})
