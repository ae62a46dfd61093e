/**
 * A shop on RocksDB and the embedded broker in a temporary directory, asked over a real socket.
 *
 * Every answer is compared with what the OpenAPI document says of it.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withShop } from '../../src/cli/connect-shop.ts'
import { ShopInstance } from '../../src/cli/shop-instance.ts'
import { type FlagValues, resolveSettings, type Settings } from '../../src/config/settings.ts'
import { shopApiText } from '../../src/cli/shop-server.ts'
import type { OpenApiDocument } from '../../src/http/openapi/openapi-document.ts'
import type { ShopAccess } from '../../topologies/shop/http/shop-access.ts'
import { AnswerCheck } from './answer-check.ts'

/** Of the shop's own document. */
export const check = new AnswerCheck(JSON.parse(await shopApiText()) as OpenApiDocument)

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

type Body = string | Uint8Array | object

export class ShopClient {
  readonly stateDir = mkdtempSync(join(tmpdir(), 'millrace-http-'))
  #instance: ShopInstance | undefined
  readonly #flags: FlagValues

  /** @param flags  beyond those every such shop has */
  constructor(flags: FlagValues = {}) {
    this.#flags = flags
  }

  get instance(): ShopInstance {
    if (this.#instance === undefined) throw new Error('the shop is not open')
    return this.#instance
  }

  /** Dead letters of all instances that were closed. */
  deadLetters = 0

  /** Also opens again what was closed, over the same directory. */
  async open(): Promise<void> {
    this.#instance = await ShopInstance.open(this.#settings(), {
      interrupted: new Promise(() => {}),
    })
  }

  async close(): Promise<void> {
    this.deadLetters += this.#instance?.metrics().counters.deadLetters ?? 0
    await this.#instance?.close()
    this.#instance = undefined
  }

  /** Writes commands to the log that nobody processes before `open`. */
  async whileClosed(use: (shop: ShopAccess) => Promise<void>): Promise<void> {
    await withShop(this.#settings(), use)
  }

  remove(): void {
    rmSync(this.stateDir, { recursive: true, force: true })
  }

  call = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(this.instance.address + path, init)
    const text = await response.text()
    const headers = new Map(response.headers)
    check.check(init.method ?? 'GET', path, { status: response.status, headers, text })
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? (JSON.parse(text) as Record<string, unknown>) : { text },
    }
  }

  post = (path: string, body: Body, headers?: Record<string, string>): Promise<Answer> =>
    this.#send('POST', path, { body, headers })

  put = (path: string, body: Body, headers?: Record<string, string>): Promise<Answer> =>
    this.#send('PUT', path, { body, headers })

  /** Asks until the answer fits: effects follow a command a moment later. */
  eventually = async (path: string, fits: (answer: Answer) => boolean): Promise<Answer> => {
    let answer: Answer | undefined
    for (const endMs = performance.now() + 10_000; performance.now() < endMs;) {
      answer = await this.call(path)
      if (fits(answer)) return answer
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`${path} did not answer as expected: ${JSON.stringify(answer)}`)
  }

  #settings(): Settings {
    const flags = { stateDir: this.stateDir, port: '0', logLevel: 'silent', ...this.#flags }
    return resolveSettings({ flags, env: {} })
  }

  #send(
    method: string,
    path: string,
    { body, headers = {} }: { body: Body; headers: Record<string, string> | undefined },
  ): Promise<Answer> {
    const isRaw = typeof body === 'string' || body instanceof Uint8Array
    return this.call(path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: isRaw ? (body as string) : JSON.stringify(body),
    })
  }
}

export const orderOf = (quantity: number, more: object = {}): object => ({
  customerId: 'c-1',
  currency: 'EUR',
  items: [{ productId: 'tea', quantity, price: '2.50' }],
  ...more,
})
