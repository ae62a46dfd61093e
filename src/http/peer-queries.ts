/**
 * Queries over all instances of an application: what an instance opens to ask and to be asked.
 *
 * ```
 *   open(host) ──► endpoint ──► new Application({ endpoint, … }) ──► serve(application) ──► router
 * ```
 * Opened before the application, which tells the others its endpoint, and closed after it. The
 * secret of the questions is the application's incarnation (`peer-seal.ts`).
 */

import type { Broker } from '../broker/port.ts'
import { type Clock, systemClock } from '../clock.ts'
import { answerHere } from '../queries/answer-here.ts'
import { QueryRouter } from '../queries/query-router.ts'
import type { Application } from '../runtime/application.ts'
import { askPeer } from './ask-peer.ts'
import { PeerServer } from './peer-server.ts'

export class PeerQueries {
  readonly #server: PeerServer | undefined

  private constructor(server?: PeerServer) {
    this.#server = server
  }

  /** Of an application with one instance: nobody is listened to. */
  static alone(): PeerQueries {
    return new PeerQueries()
  }

  /**
   * Listens for the other instances, at any free port.
   *
   * @param host  address of this machine that the others reach; never one of the outside world
   * @throws the host is none of this machine (EADDRNOTAVAIL, ENOTFOUND)
   */
  static async open(host: string): Promise<PeerQueries> {
    return new PeerQueries(await PeerServer.open(host))
  }

  /** `host:port`, an option of the application; empty if nobody can ask. */
  get endpoint(): string {
    return this.#server?.address ?? ''
  }

  /** Answers the others from this application; until then they are told to ask again. */
  serve(application: Application, broker: Broker, clock: Clock = systemClock): QueryRouter {
    this.#server?.serve({
      incarnation: application.incarnation,
      answer: (question) => answerHere(application.view(), question),
    })
    return new QueryRouter({ view: () => application.view(), broker, clock, forward: askPeer })
  }

  async close(): Promise<void> {
    await this.#server?.close()
  }
}
