/**
 * Goal: the client asks again for what may pass, tells what may not, and never guesses.
 * Method: the real routes over HTTP, with answers made up in between. What registries have in
 * common is in the contract suite.
 */

import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { HttpRegistry } from '../../src/schema-registry/http-registry.ts'
import { type MadeUpAnswer, ServedRegistry } from './served-registry.ts'

const order = JSON.stringify({
  type: 'record',
  name: 'Order',
  fields: [{ name: 'id', type: 'string' }],
})

/** Each of these once, then the registry itself. */
const inTurn = (answers: readonly (MadeUpAnswer | 'silent')[]) => {
  const left = [...answers]
  return () => left.shift()
}

describe('what may pass', () => {
  it.each<[string, MadeUpAnswer | 'silent']>([
    ['a 500', { status: 500 }],
    ['a 503 with a page', { status: 503, body: '<html>' }],
    ['too many requests', { status: 429 }],
    ['no answer in time', 'silent'],
  ])('is asked again: %s', async (_name, answer) => {
    const served = await ServedRegistry.open()
    served.answer = inTurn([answer, answer])
    expect(await served.client().register('orders', order)).toBe(1)
    expect(served.seen.length).toBe(3)
  })

  it('is told when it does not pass', async () => {
    const served = await ServedRegistry.open()
    served.answer = () => ({ status: 502 })
    const failure = served.client({ attemptsMax: 3 }).subjects()
    await expect(failure).rejects.toMatchObject({
      code: 'SCHEMA_REGISTRY_UNAVAILABLE',
      action: 'retry',
    })
    expect(served.seen.length).toBe(3)
  })

  it('goes to the next address', async () => {
    const served = await ServedRegistry.open()
    const gone = await ServedRegistry.open()
    await gone.close()
    const url = `${gone.url}, ${served.url}`
    const client = new HttpRegistry({ url, clock: systemClock, backoffMs: 1 })
    expect(await client.subjects()).toEqual([])
    await client.close()
  })
})

describe('what may not pass', () => {
  it.each<[MadeUpAnswer, string, RegExp]>([
    [{ status: 401, body: '{"message":"who?"}' }, 'SCHEMA_REGISTRY_REFUSED', /401.*credentials/],
    [{ status: 403, body: '{}' }, 'SCHEMA_REGISTRY_REFUSED', /rights/],
    [{ status: 200, body: '<html>' }, 'SCHEMA_REGISTRY_REFUSED', /is it a schema registry/],
    [{ status: 404, body: '{"error_code":404}' }, 'SCHEMA_REGISTRY_REFUSED', /404/],
    [{ status: 404, body: '{"error_code":40403}' }, 'SCHEMA_UNKNOWN', /404/],
    [{ status: 409, body: '{"error_code":409}' }, 'SCHEMA_INCOMPATIBLE', /409/],
  ])('%j is %s', async (answer, code, message) => {
    const served = await ServedRegistry.open()
    served.answer = () => answer
    const failure = served.client().schema(7)
    await expect(failure).rejects.toMatchObject({ code })
    await expect(failure).rejects.toThrow(message)
    expect(served.seen.length).toBe(1)
  })

  it('is another kind of schema', async () => {
    const served = await ServedRegistry.open()
    served.answer = () => ({ status: 200, body: '{"schema":"{}","schemaType":"PROTOBUF"}' })
    await expect(served.client().schema(1)).rejects.toThrow(/PROTOBUF, not Avro/)
  })
})

describe('credentials', () => {
  it('are sent as basic or bearer', async () => {
    const served = await ServedRegistry.open()
    const password = 'p:ä'
    await served.client({ auth: { kind: 'basic', username: 'u', password } }).subjects()
    await served.client({ auth: { kind: 'bearer', token: 't0ken' } }).subjects()
    const basic = `Basic ${Buffer.from('u:p:ä').toString('base64')}`
    expect(served.seen.map(({ authorization }) => authorization)).toEqual([basic, 'Bearer t0ken'])
  })

  it('are refused in the URL, and other protocols too', () => {
    const make = (url: string) => () => new HttpRegistry({ url, clock: systemClock })
    expect(make('http://u:p@localhost:1')).toThrow(/credentials as options/)
    expect(make('ftp://localhost')).toThrow(/http or https/)
  })
})
