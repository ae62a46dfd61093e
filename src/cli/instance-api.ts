/**
 * The HTTP API of a running instance, for commands that find its state directory in use.
 *
 * 1. 503 means "not yet": asked again for half a minute, so only what may be sent twice goes here.
 * 2. Any other failure is shown with the problem's detail.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { StoreRequestError } from '../../topologies/shop/http/shop-access.ts'
import { CommandError } from './failure.ts'

const notReadyRetryMs = 200
const notReadyMs = 30_000

export interface ApiCall {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

export class InstanceApi {
  readonly #address: string

  /** @param address  such as `http://127.0.0.1:4004` */
  constructor(address: string) {
    this.#address = address
  }

  /** @throws {CommandError} it does not answer, or with a problem */
  async call(path: string, call: ApiCall = {}): Promise<unknown> {
    return this.bodyOf(await this.fetch(path, call), path)
  }

  /** @throws {CommandError | StoreRequestError} the answer is a problem */
  async bodyOf(response: Response, path: string): Promise<unknown> {
    const body: unknown = await response.json()
    if (response.ok) return body
    const { detail = '' } = body as { readonly detail?: string }
    if (response.status === 400 && path.startsWith('/api/stores/'))
      throw new StoreRequestError(detail)
    throw new CommandError(`${this.#address}${path}: ${response.status} ${detail}`)
  }

  /** @returns whatever it answers but 503 @throws {CommandError} it does not answer */
  async fetch(
    path: string,
    { method = 'GET', body, headers = {} }: ApiCall = {},
  ): Promise<Response> {
    const endMs = performance.now() + notReadyMs
    for (;;) {
      const response = await fetch(this.#address + path, {
        method,
        headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }).catch((error: unknown) => {
        throw new CommandError(`${this.#address} does not answer: ${(error as Error).message}`)
      })
      if (response.status !== 503 || performance.now() > endMs) return response
      await response.body?.cancel()
      await sleep(notReadyRetryMs)
    }
  }
}
