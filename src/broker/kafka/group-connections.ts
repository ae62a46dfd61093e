/** How a group reaches its coordinator; the cluster implements it, the classic group uses it. */

import { type Connection } from '@platformatic/kafka'

export interface GroupConnections {
  /**
   * Runs `call` on a connection to the group's coordinator.
   *
   * `exclusive` opens one for this call alone: the coordinator answers a join when the rebalance is
   * over, and answers nothing else on that connection before. Where `call` fails by the network or
   * with a CoordinatorMovedError, the coordinator is looked for again and `call` runs anew, until
   * `retryMs` have passed.
   *
   * @throws {BrokerError} BROKER_UNAVAILABLE after `retryMs`; BROKER_CLOSED
   */
  run<T>(options: GroupCallOptions, call: (connection: Connection) => Promise<T>): Promise<T>
}

export interface GroupCallOptions {
  readonly groupId: string
  readonly exclusive: boolean
  readonly retryMs: number
  /** How long one answer may take, in ms; 0 takes the connection's own bound. */
  readonly answerMaxMs: number
}
