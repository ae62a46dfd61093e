/**
 * Codes and actions of every failure of the runner. README's table explains each to operators.
 *
 * The stream loop switches on `action` only:
 * ```
 *   skip        this record goes to its handler, the task goes on
 *   retry       the same call again after a backoff
 *   reopenTask  drop what is not committed, reopen at committed offsets
 *   rejoin      as reopenTask, after joining the group again
 *   stop        close dirty and end the process with a code that says what to do
 * ```
 */

export type ErrorAction = 'skip' | 'retry' | 'reopenTask' | 'rejoin' | 'stop'

export const topologyErrorCodes = [
  'STREAMS_OUTSIDE_TOPOLOGY', // operator created outside topology(): move it inside
  'STREAMS_TOPOLOGY_INVALID', // graph rule broken: the message names the rule and the node
  'STREAMS_NOT_DETERMINISTIC', // task scope built other nodes than the plan: remove the condition
  'STREAMS_NOT_COPARTITIONED', // joined topics differ in partition count: repartitionBy one
  'STREAMS_UNTRACKED_STREAM', // made by a static RxJS function: use ours, or pipe from a stream
  'STREAMS_SUBSCRIBED', // subscribe() by hand, or at data time (defer, switchMap, retry)
  'STREAMS_EMITTED_AT_BUILD', // startWith, of: a record needs a position, so none may be invented
  'STREAMS_COMPLETED', // take, first: later records would vanish
  'STREAMS_UNSUBSCRIBED', // catchError(() => NEVER), takeUntil: same, without a notification
  'STREAMS_ASYNC_EMISSION', // delay, debounceTime, mergeMap(promise): use effect()
  'STREAMS_REENTRY', // a Subject closes a cycle: send through a topic instead
  'STREAMS_NOT_A_RECORD', // a plain RxJS step emitted something else: use record.withValue()
  'STREAMS_KEY_CHANGED', // a plain RxJS step changed the key: use repartitionBy()
] as const

export type TopologyErrorCode = (typeof topologyErrorCodes)[number]

export const recordErrorCodes = [
  'STREAMS_DESERIALIZATION', // bytes that the serde refuses, a null where none is allowed
  'STREAMS_TIMESTAMP', // negative, or further ahead than maxFutureSkewMs
  'STREAMS_PROCESSING', // user code threw
  'STREAMS_PRODUCTION', // an output or changelog record the broker cannot take
] as const

export type RecordErrorCode = (typeof recordErrorCodes)[number]

export const runtimeErrorCodes = {
  STREAMS_CONFIG: 'stop', // unknown or bad option: the message names the nearest good one
  STREAMS_MISSING_TOPIC: 'stop', // create it: the message says how
  STREAMS_TASK_MIGRATED: 'rejoin', // fenced: the tasks belong to another instance
  STREAMS_TASK_CORRUPTED: 'reopenTask', // local state is unusable: wiped and restored
  STREAMS_INSTANCE_ID_IN_USE: 'stop', // two instances have it: the message names it
  STREAMS_STATE_MISMATCH: 'stop', // the state was made by another cluster, topic or topology
  STREAMS_HANDLER_FAILED: 'stop', // a handler answered `fail`: the record is named
  STREAMS_CLOSED: 'stop', // used after close
  STREAMS_PARTITION_MOVING: 'retry', // a query's partition has no owner that answers: ask again
} as const satisfies Record<string, ErrorAction>

export type RuntimeErrorCode = keyof typeof runtimeErrorCodes
