import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { afterEach, describe, expect, it } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import { RuntimeError } from '../../src/errors/classes.ts'
import { createHttpServer, listenOnLoopback } from '../../src/http/http-server.ts'
import { HttpProblem } from '../../src/http/problem.ts'
import type { Logger } from '../../src/logger.ts'

const health = { isLive: true, isReady: true }
const errors: object[] = []
const logger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error: (details) => void errors.push(details),
}

let server: FastifyInstance

const body = Type.Object(
  { name: Type.String({ minLength: 1 }), lines: Type.Array(Type.Object({ n: Type.Integer() })) },
  { additionalProperties: false },
)

const open = (): FastifyInstance => {
  Object.assign(health, { isLive: true, isReady: true })
  errors.length = 0
  server = createHttpServer({ health: () => health, metrics: async () => 'up 1\n', logger })
  server.post('/things', { schema: { body } }, (request) => request.body)
  const querystring = Type.Object({ wait: Type.Optional(Type.Integer({ maximum: 10 })) })
  server.get('/things/:id', { schema: { querystring } }, (request) => request.query)
  server.delete('/things/:id', () => {
    throw new HttpProblem(409, 'Not that one.')
  })
  server.get('/broken', () => {
    throw new Error('secret')
  })
  server.get('/closed', () => {
    throw new BrokerError('BROKER_UNAVAILABLE', 'no broker')
  })
  server.get('/moving', () => {
    throw new RuntimeError('STREAMS_PARTITION_MOVING', 'Partition 3 of store s is on its way.')
  })
  server.get('/passing', () => {
    throw new HttpProblem(503, 'Behind.\nAsk again.')
  })
  server.get('/unanswered', () => {
    throw new BrokerError('BROKER_UNKNOWN_OUTCOME', 'no answer')
  })
  return server
}

afterEach(() => server.close())

describe('http server', () => {
  it('says of what got no answer that it may be done, and how to repeat it', async () => {
    const { statusCode, headers, payload } = await open().inject('/unanswered')
    const { 'retry-after': retryAfter, 'content-type': type } = headers
    expect([statusCode, retryAfter, String(type)]).toEqual([
      503,
      '1',
      'application/problem+json; charset=utf-8',
    ])
    expect(payload).toMatch(/may have been written or not.*the same id/)
  })

  it('lets an EventSource come again where others are told that it is not now', async () => {
    open()
    for (const url of ['/moving', '/closed', '/passing']) {
      const ask = (accept: string) => server.inject({ url, headers: { accept } })
      const { statusCode, headers, payload } = await ask('text/event-stream')
      expect([statusCode, headers['content-type']]).toEqual([
        200,
        'text/event-stream; charset=utf-8',
      ])
      expect(payload).toMatch(/^retry: \d+\n: [^\n]+\n\n$/) // and nothing that is an event
      expect((await ask('application/json, text/event-stream')).statusCode).toBe(503)
      expect((await ask('*/*')).headers['retry-after']).toBe('1')
    }
    const broken = await server.inject({ url: '/broken', headers: { accept: 'text/event-stream' } })
    expect(broken.statusCode).toBe(500)
  })

  it('tells live, ready and started apart', async () => {
    open()
    health.isReady = false
    const status = async (name: string): Promise<number> =>
      (await server.inject(`/health/${name}`)).statusCode
    expect([await status('live'), await status('ready'), await status('startup')]).toEqual([
      200, 503, 503,
    ])
    health.isReady = true
    expect([await status('ready'), await status('startup')]).toEqual([200, 200])
    Object.assign(health, { isLive: false, isReady: false })
    expect([await status('live'), await status('ready'), await status('startup')]).toEqual([
      503, 503, 200,
    ])
  })

  it('says why it is not ready', async () => {
    open()
    Object.assign(health, { isReady: false, reason: 'no space left' })
    const { statusCode, payload } = await server.inject('/health/ready')
    expect([statusCode, JSON.parse(payload)]).toEqual([
      503,
      { status: 'down', reason: 'no space left' },
    ])
    Object.assign(health, { isReady: true, reason: undefined })
    expect(JSON.parse((await server.inject('/health/ready')).payload)).toEqual({ status: 'up' })
  })

  it('serves metrics as text', async () => {
    const answer = await open().inject('/metrics')
    expect(answer.body).toBe('up 1\n')
    expect(answer.headers['content-type']).toMatch(/^text\/plain/)
  })

  it('names every place of a body that breaks the schema', async () => {
    const answer = await open().inject({
      method: 'POST',
      url: '/things',
      payload: { name: '', lines: [{ n: 1 }, { n: 'two' }, {}], other: true },
    })
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    const problem = answer.json<{ errors: { pointer: string }[]; status: number; title: string }>()
    expect(problem).toMatchObject({ status: 400, title: 'Bad request', type: 'about:blank' })
    expect(problem.errors.map(({ pointer }) => pointer).toSorted()).toEqual([
      '/lines/1/n',
      '/lines/2/n',
      '/name',
      '/other',
    ])
  })

  it('takes a good body as it is', async () => {
    const payload = { name: '1', lines: [] }
    const answer = await open().inject({ method: 'POST', url: '/things', payload })
    expect(answer.json()).toEqual(payload)
  })

  it('converts and checks query parameters', async () => {
    open()
    expect((await server.inject('/things/1?wait=5')).json()).toEqual({ wait: 5 })
    const wrong = await server.inject('/things/1?wait=11')
    expect(wrong.statusCode).toBe(400)
    expect(wrong.json()).toMatchObject({ errors: [{ pointer: '?wait' }] })
    const part = await server.inject('/things/1?wait=1.5')
    expect(part.json()).toMatchObject({ status: 400, errors: [{ pointer: '?wait' }] })
  })

  it.each(['%ff', '%', '%zz', 'a=1&wait=%c3'])('refuses the query ?%s', async (query) => {
    const answer = await open().inject(`/things/1?${query}`)
    expect([answer.statusCode, answer.json<{ detail: string }>().detail]).toEqual([
      400,
      'The query is no text: its escapes are not those of UTF-8.',
    ])
  })

  it.each([
    ['malformed JSON', 400, { payload: '{"name":', type: 'application/json' }],
    ['no JSON', 415, { payload: 'name=1', type: 'application/x-www-form-urlencoded' }],
    ['text', 415, { payload: 'name', type: 'text/plain' }],
    ['UTF-16', 415, { payload: '{}', type: 'application/json; charset=utf-16le' }],
    ['too much', 413, { payload: `{"name":"${'x'.repeat(2_000_000)}"}`, type: 'application/json' }],
  ])('answers %s with a %i problem', async (_name, status, { payload, type }) => {
    const headers = { 'content-type': type }
    const answer = await open().inject({ method: 'POST', url: '/things', payload, headers })
    expect(answer.statusCode).toBe(status)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(answer.json()).toMatchObject({ status })
  })

  it('tells unknown paths and wrong methods apart', async () => {
    open()
    expect((await server.inject('/nothing')).json()).toMatchObject({ status: 404 })
    expect((await server.inject('/things/%ff')).json()).toMatchObject({ status: 400 })
    expect((await server.inject(`/things/${'x'.repeat(3000)}`)).json()).toMatchObject({
      status: 414,
    })
    const wrong = await server.inject({ method: 'PUT', url: '/things/7?x=1' })
    expect(wrong.json()).toMatchObject({ status: 405 })
    expect(wrong.headers['allow']).toBe('DELETE, GET, HEAD')
    const query = await server.inject({ method: 'QUERY' as 'PUT', url: '/things/7' })
    expect([query.statusCode, query.headers['allow']]).toEqual([405, 'DELETE, GET, HEAD'])
  })

  it('passes problems of routes on, and hides what went wrong inside', async () => {
    open()
    const conflict = await server.inject({ method: 'DELETE', url: '/things/7' })
    expect(conflict.json()).toMatchObject({ status: 409, detail: 'Not that one.' })
    const broken = await server.inject('/broken')
    expect(broken.statusCode).toBe(500)
    expect(broken.body).not.toContain('secret')
    expect(errors).toHaveLength(1)
    const closed = await server.inject('/closed')
    expect(closed.statusCode).toBe(503)
    expect(closed.headers['retry-after']).toBe('1')
    const moving = await server.inject('/moving')
    expect([moving.statusCode, moving.headers['retry-after']]).toEqual([503, '1'])
    expect(moving.json()).toMatchObject({ detail: 'Partition 3 of store s is on its way.' })
    expect(errors).toHaveLength(1)
  })

  it('listens on loopback only', async () => {
    const address = await listenOnLoopback(open(), 0)
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(server.addresses()).toMatchObject([{ address: '127.0.0.1' }])
    expect((await fetch(`${address}/health/live`)).status).toBe(200)
  })
})
