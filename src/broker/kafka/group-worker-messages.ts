/** What the main thread and the membership thread say to each other; see `worker-session.ts`. */

import type { BrokerErrorCode } from '../errors.ts'
import type {
  GroupMemberMetadata,
  GroupMetadata,
  GroupPeer,
  JoinedGeneration,
  JoinRequest,
} from '../port.ts'
import type { KafkaBrokerOptions } from './kafka-broker-options.ts'

export interface GroupWorkerData {
  readonly broker: KafkaBrokerOptions
  readonly heartbeatIntervalMs: number
  readonly maxStallMs: number
  readonly incarnation: string
  readonly linkHost: string
  /** One number that the main thread's event loop raises: a `Int32Array` over it. */
  readonly progress: SharedArrayBuffer
}

/** Without the function, which stays on the main thread. */
export type SentJoinRequest = Omit<JoinRequest, 'assign'>

export type GroupWorkerRequest =
  | { readonly kind: 'join'; readonly id: number; readonly request: SentJoinRequest }
  | { readonly kind: 'leave'; readonly id: number; readonly member: GroupMetadata }
  | { readonly kind: 'hurry' }
  | {
      readonly kind: 'watch'
      readonly member: GroupMetadata
      readonly peers: readonly GroupPeer[]
    }
  | { readonly kind: 'link'; readonly id: number }
  | { readonly kind: 'keepPlace'; readonly id: number }
  | {
      readonly kind: 'assigned'
      readonly id: number
      /** Undefined: the assignor threw. */
      readonly assignments: ReadonlyMap<string, Uint8Array> | undefined
    }

export type GroupWorkerReply =
  | { readonly kind: 'joined'; readonly id: number; readonly joined: JoinedGeneration }
  | { readonly kind: 'left'; readonly id: number }
  | { readonly kind: 'kept'; readonly id: number }
  | { readonly kind: 'linked'; readonly id: number; readonly address: string }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: SentFailure }
  /** Of the leader, for its join of this id. */
  | {
      readonly kind: 'assign'
      readonly id: number
      readonly members: readonly GroupMemberMetadata[]
    }
  | { readonly kind: 'rebalancing' }
  | { readonly kind: 'lost'; readonly failure: SentFailure }

export interface SentFailure {
  /** Undefined for what is not a BrokerError. */
  readonly code: BrokerErrorCode | undefined
  readonly message: string
}
