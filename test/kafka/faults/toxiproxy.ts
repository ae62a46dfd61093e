/**
 * A real Toxiproxy in front of a broker: its own process, driven over HTTP.
 *
 * Built by `scripts/toxiproxy.mjs`; where that cannot be, the reason is returned for the suite to
 * show. TOXIPROXY_REQUIRED=1 makes it an error.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { until } from './until.ts'

export interface Toxic {
  readonly type: 'latency' | 'reset_peer' | 'limit_data' | 'timeout'
  /** `upstream` are requests, `downstream` answers. */
  readonly stream: 'upstream' | 'downstream'
  readonly attributes: Readonly<Record<string, number>>
}

const script = join(import.meta.dirname, '..', '..', '..', 'scripts', 'toxiproxy.mjs')

/** Path of its server, or why there is none. */
export const toxiproxyServer = async (): Promise<{ server: string } | { skipped: string }> => {
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  const [status] = (await once(child, 'close')) as [number | null]
  if (status === 0) return JSON.parse(output) as { server: string }
  if (process.env['TOXIPROXY_REQUIRED'] === '1') throw new Error(errors)
  process.stderr.write(`\n*** Toxiproxy suites are SKIPPED: ${errors.trim()}\n\n`)
  return { skipped: errors.trim() }
}

export class Toxiproxy {
  /** Forwarded to the broker. */
  readonly port: number
  readonly #api: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, api: string, port: number) {
    this.#child = child
    this.#api = api
    this.port = port
  }

  static async start(server: string, upstreamPort: number): Promise<Toxiproxy> {
    const [apiPort, port] = [await freePort(), await freePort()]
    const child = spawn(server, ['-host', '127.0.0.1', '-port', String(apiPort)], {
      stdio: 'ignore',
    })
    const toxiproxy = new Toxiproxy(child, `http://127.0.0.1:${apiPort}`, port)
    const isUp = () => toxiproxy.#ask('GET', '/version').then(Boolean, () => false)
    await until('Toxiproxy answers', isUp, { maxMs: 10_000 })
    await toxiproxy.#ask('POST', '/proxies', {
      name: 'broker',
      listen: `127.0.0.1:${port}`,
      upstream: `127.0.0.1:${upstreamPort}`,
    })
    return toxiproxy
  }

  /** @returns takes it away */
  async add(toxic: Toxic): Promise<() => Promise<void>> {
    await this.#ask('POST', '/proxies/broker/toxics', { name: 'fault', ...toxic })
    return async () => {
      await this.#ask('DELETE', '/proxies/broker/toxics/fault')
    }
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }

  async #ask(method: string, path: string, body?: object): Promise<string> {
    const answer = await fetch(this.#api + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return text
  }
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { readonly port: number }
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return port
}
