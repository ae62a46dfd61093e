/**
 * One request over HTTP or HTTPS, with a deadline for the whole answer and a bound on its size.
 *
 * Called by clients of other services: the schema registry's, the shop's payment gateway. Node's
 * own client, since `fetch` takes no certificate authority. 1. A connection is kept and used again;
 * it never carries two requests at once. 2. Redirects are answers like any other: nothing is sent
 * to where they point. 3. After a rejection it is not known whether the request arrived, unless it
 * is a NotSentError.
 */

import { Agent as HttpAgent, type IncomingHttpHeaders, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { NotSentError } from './not-sent-error.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  /** Ends the request before its time. */
  readonly signal?: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface HttpConnectionsOptions {
  /** From the request to the end of the answer. */
  readonly timeoutMs: number
  /** Authorities to trust instead of those of the system, PEM. */
  readonly ca?: Buffer | undefined
  /** A server that sends more is none of those it is for. */
  readonly answerBytesMax: number
}

export class HttpConnections {
  readonly #options: HttpConnectionsOptions
  readonly #http = new HttpAgent({ keepAlive: true })
  readonly #https: HttpsAgent

  constructor(options: HttpConnectionsOptions) {
    const { ca } = options
    this.#options = options
    this.#https = new HttpsAgent({ keepAlive: true, ...(ca !== undefined && { ca }) })
  }

  /**
   * @throws {NotSentError} no connection
   * @throws {Error} no answer in time, ended by the signal, a lost connection, too long an answer
   */
  ask({ method, url, headers, body, signal: ended }: HttpRequest): Promise<HttpAnswer> {
    const { timeoutMs, answerBytesMax } = this.#options
    const isTls = url.protocol === 'https:'
    const late = AbortSignal.timeout(timeoutMs)
    const signal = ended === undefined ? late : AbortSignal.any([late, ended])
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
        response.on('end', () => {
          const { statusCode: status = 0, headers: answered } = response
          resolve({ status, headers: answered, body: Buffer.concat(chunks).toString() })
        })
      })
      let isConnected = false
      request.on('socket', (socket) => {
        if (socket.connecting) {
          socket.once(isTls ? 'secureConnect' : 'connect', () => (isConnected = true))
        } else isConnected = true
      })
      request.on('error', (error) => {
        const told = late.aborted ? new Error(`no answer within ${timeoutMs} ms`) : error
        reject(isConnected ? told : new NotSentError(told))
      })
      request.end(body)
    })
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }
}
