/**
 * Asks another instance of the group about a partition that it owns.
 *
 * Used by the query router. An answer counts if it is sealed for this very question by the process
 * that the assignment names; everything else (no answer in time, another process at the address) is
 * an `UnreachableError`, and the router looks for a newer address.
 */

import { randomUUID } from 'node:crypto'
import { deserialize, serialize } from 'node:v8'
import { RuntimeError } from '../errors/classes.ts'
import type { PartitionReply } from '../queries/partition-read.ts'
import { type Forward, UnreachableError } from '../queries/query-router.ts'
import type { Peer } from '../runtime/group-protocol.ts'
import { isSealed, nonceHeader, peerPath, sealHeader, sealOf } from './peer-seal.ts'
import type { PeerReply } from './peer-server.ts'

/** An owner that needs longer is as good as gone for whoever waits. */
const answerMaxMs = 2_000

export const askPeer: Forward = async (owner, question) => {
  const { incarnation } = owner
  const [body, nonce] = [serialize(question), randomUUID()]
  const seal = sealOf({ incarnation, nonce, what: 'question' }, body)
  const { status, answer, answerSeal } = await post(owner, body, { nonce, seal })
  if (status !== 200) throw new UnreachableError(notTaken(status))
  if (!isSealed({ incarnation, nonce, what: 'answer' }, answer, answerSeal)) {
    throw new UnreachableError('somebody else answers at its address')
  }
  return replyOf(deserialize(answer) as PeerReply)
}

interface Posted {
  readonly status: number
  readonly answer: Buffer
  readonly answerSeal: string | null
}

const post = async (
  { endpoint }: Peer,
  body: Uint8Array,
  { nonce, seal }: { readonly nonce: string; readonly seal: string },
): Promise<Posted> => {
  try {
    const response = await fetch(`http://${endpoint}${peerPath}`, {
      method: 'POST',
      body,
      headers: { [nonceHeader]: nonce, [sealHeader]: seal },
      signal: AbortSignal.timeout(answerMaxMs),
      redirect: 'error',
    })
    const answer = Buffer.from(await response.arrayBuffer())
    return { status: response.status, answer, answerSeal: response.headers.get(sealHeader) }
  } catch (error) {
    throw new UnreachableError(`it does not answer (${reasonOf(error)})`)
  }
}

const notTaken = (status: number): string => {
  if (status === 403) return 'another process is at its address'
  if (status === 404) return 'it takes no questions of this version'
  return `it answers with status ${status}`
}

const reasonOf = (error: unknown): string => {
  const { cause, name, message } = error as Error & { cause?: NodeJS.ErrnoException }
  return name === 'TimeoutError' ? `not within ${answerMaxMs} ms` : (cause?.code ?? message)
}

const replyOf = (reply: PeerReply): PartitionReply => {
  if ('mistake' in reply) throw new RuntimeError('STREAMS_CONFIG', reply.mistake)
  return reply
}
