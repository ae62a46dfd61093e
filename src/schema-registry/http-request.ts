/**
 * One request to a schema registry over HTTP or HTTPS, with a deadline for the whole answer.
 *
 * Called by `http-registry.ts`. Node's own client, since `fetch` takes no certificate authority.
 */

import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

export interface RegistryRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

export interface RegistryAnswer {
  readonly status: number
  readonly body: string
}

/** Above every schema and list that is of use; a server that sends more is none. */
const answerBytesMax = 16_777_216

export class RegistryConnections {
  readonly #timeoutMs: number
  readonly #http = new HttpAgent({ keepAlive: true })
  readonly #https: HttpsAgent

  /** @param ca  authorities to trust instead of those of the system, PEM */
  constructor(timeoutMs: number, ca: Buffer | undefined) {
    this.#timeoutMs = timeoutMs
    this.#https = new HttpsAgent({ keepAlive: true, ...(ca !== undefined && { ca }) })
  }

  /** @throws {Error} no connection, no answer in time, or too much of one */
  ask({ method, url, headers, body }: RegistryRequest): Promise<RegistryAnswer> {
    const isTls = url.protocol === 'https:'
    const signal = AbortSignal.timeout(this.#timeoutMs)
    const options = { method, headers, signal, agent: isTls ? this.#https : this.#http }
    return new Promise((resolve, reject) => {
      const request = (isTls ? httpsRequest : httpRequest)(url, options, (response) => {
        const chunks: Buffer[] = []
        let sizeBytes = 0
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk)
          sizeBytes += chunk.length
          if (sizeBytes > answerBytesMax) request.destroy(new Error('the answer is too long'))
        })
        response.on('error', reject)
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        )
      })
      request.on('error', (error) =>
        reject(signal.aborted ? new Error(`no answer within ${this.#timeoutMs} ms`) : error),
      )
      request.end(body)
    })
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }
}
