/**
 * A membership in a thread of its own: what blocks the main thread does not end the session.
 *
 * Made by `KafkaBroker`, used by the runtime. 1. The main thread is asked for one thing only: to
 * assign, if this member leads. 2. Its event loop raises a shared number; the thread leaves the
 * group when that stands still for too long. 3. A thread that dies is a lost membership; the next
 * join starts another. 4. The thread does not keep the process alive.
 */

import { Worker } from 'node:worker_threads'
import type { Clock } from '../../clock.ts'
import { BrokerError } from '../errors.ts'
import type {
  GroupMetadata,
  GroupPeer,
  GroupSession,
  GroupSessionOptions,
  JoinedGeneration,
  JoinRequest,
} from '../port.ts'
import type {
  GroupWorkerData,
  GroupWorkerReply,
  GroupWorkerRequest,
  SentFailure,
} from './group-worker-messages.ts'
import type { KafkaBrokerOptions } from './kafka-broker-options.ts'

export interface WorkerSessionOptions extends GroupSessionOptions {
  readonly broker: KafkaBrokerOptions
  readonly clock: Clock
  onClose(session: WorkerSession): void
}

type Answer = Extract<GroupWorkerReply, { kind: 'joined' | 'left' | 'linked' | 'kept' }>

interface Pending {
  readonly assign?: JoinRequest['assign']
  /** What the assignor threw. */
  assignorError?: unknown
  resolve(answer: Answer): void
  reject(error: unknown): void
}

export class WorkerSession implements GroupSession {
  readonly #options: WorkerSessionOptions
  readonly #progress = new Int32Array(new SharedArrayBuffer(4))
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | undefined
  #requests = 0
  #cancelTick: (() => void) | undefined
  #isClosed = false

  constructor(options: WorkerSessionOptions) {
    this.#options = options
    this.#worker = this.#start()
    this.#tick()
  }

  async join({ assign, ...request }: JoinRequest): Promise<JoinedGeneration> {
    const answer = await this.#ask((id) => ({ kind: 'join', id, request }), assign)
    if (answer.kind !== 'joined') throw new Error(`a join was answered ${answer.kind}`)
    return answer.joined
  }

  async leave(member: GroupMetadata): Promise<void> {
    await this.#ask((id) => ({ kind: 'leave', id, member }))
  }

  async link(): Promise<string> {
    const answer = await this.#ask((id) => ({ kind: 'link', id }))
    return answer.kind === 'linked' ? answer.address : ''
  }

  watch(member: GroupMetadata, peers: readonly GroupPeer[]): void {
    this.#tell({ kind: 'watch', member, peers: peers.map(watchable) })
  }

  hurry(): void {
    this.#tell({ kind: 'hurry' })
  }

  async keepPlace(): Promise<void> {
    await this.#ask((id) => ({ kind: 'keepPlace', id })).catch(() => {}) // its thread is gone
    this.close()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelTick?.()
    this.#pending.clear()
    const worker = this.#worker
    this.#worker = undefined
    worker?.removeAllListeners()
    void worker?.terminate()
    this.#options.onClose(this)
  }

  #ask(
    request: (id: number) => GroupWorkerRequest,
    assign?: JoinRequest['assign'],
  ): Promise<Answer> {
    if (this.#isClosed) {
      return Promise.reject(new BrokerError('BROKER_CLOSED', 'the group session is closed'))
    }
    this.#requests += 1
    const id = this.#requests
    this.#worker ??= this.#start()
    this.#worker.postMessage(request(id))
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, ...(assign && { assign }) })
    })
  }

  #start(): Worker {
    const { broker, heartbeatIntervalMs, maxStallMs, incarnation, linkHost } = this.#options
    const data: GroupWorkerData = {
      broker,
      heartbeatIntervalMs,
      maxStallMs,
      incarnation,
      linkHost,
      progress: this.#progress.buffer,
    }
    const worker = new Worker(new URL('./group-worker.ts', import.meta.url), {
      name: 'group',
      execArgv: [], // flags of the process such as --input-type are not for the thread
      workerData: data,
      resourceLimits,
    })
    worker.on('message', (reply: GroupWorkerReply) => this.#hear(reply))
    worker.on('error', (error) => this.#died(worker, error))
    worker.on('exit', (code) => this.#died(worker, new Error(`its thread ended with ${code}`)))
    worker.unref()
    return worker
  }

  #hear(reply: GroupWorkerReply): void {
    if (this.#isClosed) return
    if (reply.kind === 'rebalancing') return this.#options.onRebalance()
    if (reply.kind === 'lost') return this.#options.onLost(errorOf(reply.failure))
    const pending = this.#pending.get(reply.id)
    if (pending === undefined) return
    if (reply.kind === 'assign') return this.#assign(reply, pending)
    this.#pending.delete(reply.id)
    if (reply.kind === 'failed') pending.reject(pending.assignorError ?? errorOf(reply.failure))
    else pending.resolve(reply)
  }

  #assign({ id, members }: Extract<GroupWorkerReply, { kind: 'assign' }>, pending: Pending): void {
    let assignments: ReadonlyMap<string, Uint8Array> | undefined
    try {
      assignments = pending.assign!(members)
    } catch (error) {
      pending.assignorError = error
    }
    this.#tell({ kind: 'assigned', id, assignments })
  }

  #tell(request: GroupWorkerRequest): void {
    this.#worker?.postMessage(request)
  }

  /** Nothing keeps the session alive any more: as good as lost. */
  #died(worker: Worker, cause: unknown): void {
    if (this.#isClosed || this.#worker !== worker) return
    this.#worker = undefined
    const error = new BrokerError('BROKER_UNKNOWN_MEMBER', 'the membership thread died', { cause })
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of pending) reject(error)
    this.#options.onLost(error)
  }

  #tick(): void {
    Atomics.add(this.#progress, 0, 1)
    const { clock, heartbeatIntervalMs } = this.#options
    this.#cancelTick = clock.setTimer(heartbeatIntervalMs, () => this.#tick())
  }
}

/** Enough for a client that fetches nothing; without them a thread takes what the heap may have. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 }

const errorOf = ({ code, message }: SentFailure): Error =>
  code === undefined ? new Error(message) : new BrokerError(code, message)

const watchable = (peer: GroupPeer): GroupPeer => ({
  memberId: peer.memberId,
  instanceId: peer.instanceId,
  isStatic: peer.isStatic === true,
  incarnation: peer.incarnation,
  link: peer.link,
})
