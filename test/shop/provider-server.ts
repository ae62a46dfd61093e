/**
 * A payment provider over a real socket, which keeps to `docs/payments.md` and has bad days.
 *
 * It keeps a ledger by idempotency key: a key it has done is answered as before and nothing moves.
 * What goes wrong with the first request of a key is the trouble its id is given; repetitions and
 * questions go well, unless the trouble says otherwise.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Trouble =
  | 'none'
  | 'declines'
  | 'short'
  /** Moves the money and never answers. */
  | 'silent'
  | 'resets-before'
  | 'resets-after'
  /** Moves the money and sends half of its answer. */
  | 'cut'
  /** Two whole answers to one request. */
  | 'twice'
  /** The answer to another payment, which was declined. */
  | 'mixed-up'
  | 'fails-after'
  | 'pending'
  | 'away'
  | 'too-many'

interface Entry {
  readonly paymentId: string
  /** Of a refund below 0. */
  readonly movedMinor: number
  readonly answer: object
}

interface Asked {
  readonly key: string
  readonly method: string
  readonly authorization: string | undefined
}

export class ProviderServer {
  /** By idempotency key. */
  readonly ledger = new Map<string, Entry>()
  readonly asked: Asked[] = []
  /** Answers the first request of a key so; drawn when it comes. */
  troubleOf: (key: string, body: Readonly<Record<string, unknown>>) => Trouble = () => 'none'
  /** Does its work, and answers everything with 500. */
  isBroken = false
  /** How often it moved money for one key; more than once is a fault of the caller or of this. */
  readonly moves = new Map<string, number>()
  readonly #seen = new Map<string, number>()
  #server: Server | undefined
  #port = 0

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Also comes back, at the address it had. */
  async open(): Promise<void> {
    const server = createServer((request, response) => {
      void this.#serve(request, response)
    })
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  /** What it has of a payment: captured less refunded. */
  keptMinor(paymentId: string): number {
    let keptMinor = 0
    for (const entry of this.ledger.values()) {
      if (entry.paymentId === paymentId) keptMinor += entry.movedMinor
    }
    return keptMinor
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const key = String(request.headers['idempotency-key'])
    const { method = '', headers } = request
    this.asked.push({ key, method, authorization: headers.authorization })
    if (method === 'GET' && this.isBroken) return send(response, 500, {})
    if (method === 'GET') {
      const known = this.ledger.get(key)
      return send(response, known === undefined ? 404 : 200, known?.answer ?? {})
    }
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
    const visits = (this.#seen.get(key) ?? 0) + 1
    this.#seen.set(key, visits)
    const trouble = this.troubleOf(key, body)
    if (trouble === 'away' && visits < 3) return send(response, 503, {}, { 'retry-after': '2' })
    if (trouble === 'too-many' && visits < 3) return send(response, 429, {}, { 'retry-after': '1' })
    if (trouble === 'resets-before' && visits === 1) return void request.socket.destroy()
    const isFirst = !this.ledger.has(key)
    const { answer } = this.#move(key, body, trouble)
    if (this.isBroken) return send(response, 500, {})
    if (isFirst) this.#answerBadly(response, trouble, answer)
    else send(response, 200, answer)
  }

  #move(key: string, body: Readonly<Record<string, unknown>>, trouble: Trouble): Entry {
    const known = this.ledger.get(key)
    if (known !== undefined) return known
    const { paymentId, refundId, amountMinor, currency } = body as {
      readonly paymentId: string
      readonly refundId?: string
      readonly amountMinor: number
      readonly currency: string
    }
    this.moves.set(key, (this.moves.get(key) ?? 0) + 1)
    const transactionId = `tx-${this.ledger.size}`
    const entry = ((): Entry => {
      if (refundId !== undefined) {
        const answer = { refundId, status: 'refunded', transactionId }
        return { paymentId, movedMinor: -amountMinor, answer }
      }
      if (trouble === 'declines') {
        return { paymentId, movedMinor: 0, answer: { paymentId, status: 'declined', reason: 'no' } }
      }
      const capturedMinor = trouble === 'short' ? Math.ceil(amountMinor / 2) : amountMinor
      const answer = { paymentId, status: 'captured', capturedMinor, currency, transactionId }
      return { paymentId, movedMinor: capturedMinor, answer }
    })()
    this.ledger.set(key, entry)
    return entry
  }

  #answerBadly(response: ServerResponse, trouble: Trouble, answer: object): void {
    const text = JSON.stringify(answer)
    const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: `
    const whole = `${head}${Buffer.byteLength(text)}\r\n\r\n${text}`
    switch (trouble) {
      case 'silent':
        return
      case 'resets-after':
        return void response.socket?.destroy()
      case 'cut':
        return void response.socket?.end(whole.slice(0, -5))
      case 'twice':
        return void response.socket?.write(whole + whole)
      case 'mixed-up':
        return send(response, 200, { paymentId: 'another', status: 'declined', reason: 'no' })
      case 'fails-after':
        return send(response, 500, {})
      case 'pending':
        return send(response, 202, { ...answer, status: 'pending' })
      default:
        return send(
          response,
          'status' in answer && answer.status === 'declined' ? 402 : 201,
          answer,
        )
    }
  }
}

const send = (
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}
